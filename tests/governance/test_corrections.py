"""Manual corrections: a person says what was done, the next manifest checks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM, Actor, ActorKind
from config.lifecycle import TransitionError
from governance import corrections, decisions, drift, plans, upgrades
from governance.corrections import TenantBusy
from governance.models import Finding, UpgradeTask
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout
from tests.governance.commanding import shell
from tests.ground import Kind
from tests.journeys.browsing import chromium

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
MINUTE = timedelta(minutes=1)
SHEETS = ("vendor/tabler/tabler.min.css", "plumbline.css")
DONE = {"done": "Upgraded on the console."}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def given_up(world: World) -> UpgradeTask:
    """Given up by the orchestrator."""
    found = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    found.refresh_from_db()
    upgrades.move(found, Status.GIVEN_UP, actor=SYSTEM, at=AT)
    return found


SCENE = Kind(given_up)


@pytest.fixture
def task(standing_scene: UpgradeTask) -> UpgradeTask:
    return standing_scene


def correct(task: UpgradeTask) -> None:
    corrections.correct(task, done="Upgraded by hand.", actor=SYSTEM, at=AT)


def test_what_was_done_by_hand_waits_for_the_next_manifest(world: World, task: UpgradeTask) -> None:
    correct(task)
    assert (task.status, task.correction, task.finished_at) == (Status.MANUAL, "Upgraded by hand.", None)
    assert Finding.objects.open().get().status == Finding.Status.VERIFYING
    entry = Entry.objects.get(action="task.corrected")
    assert (entry.data["done"], entry.tenant_id) == ("Upgraded by hand.", world.tenant_b.pk)


@pytest.mark.parametrize(
    ("version", "becomes", "detail"),
    [("2.4.0", Status.SUCCEEDED, ""), ("2.3.0", Status.VERIFY_FAILED, "crm is 2.3.0, not 2.4.0")],
)
def test_the_next_manifest_decides(
    world: World, task: UpgradeTask, version: str, becomes: str, detail: str
) -> None:
    correct(task)
    rollout.report(world, "tenant-b", version, AT + MINUTE)
    upgrades.verify(world.group, at=AT + MINUTE)
    task.refresh_from_db()
    assert (task.status, task.detail) == (becomes, detail)


def test_it_is_verified_at_once_where_the_tenant_has_shown_it_already(
    world: World, task: UpgradeTask
) -> None:
    rollout.report(world, "tenant-b", "2.4.0", AT + MINUTE)
    correct(task)
    assert task.status == Status.SUCCEEDED


def test_what_was_never_handed_over_may_be_done_by_hand(world: World) -> None:
    task = rollout.running_task(world)
    correct(task)
    rollout.report(world, "tenant-b", "2.4.0", AT + MINUTE)
    upgrades.verify(world.group, at=AT + MINUTE)
    task.refresh_from_db()
    assert (task.status, task.plan.__class__.objects.get().status) == (Status.SUCCEEDED, "completed")


def test_a_correction_without_any_manifest_fails_in_the_end(world: World, task: UpgradeTask) -> None:
    correct(task)
    upgrades.verify(world.group, at=AT + timedelta(days=9))
    task.refresh_from_db()
    assert (task.status, task.detail) == (Status.VERIFY_FAILED, "no manifest since 2026-03-02 09:00 UTC")


def test_the_orchestrator_keeps_what_it_has(world: World) -> None:
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    before = Entry.objects.count()
    refusal = "can't become done by hand, to be verified: it is dispatched by now"
    with pytest.raises(TransitionError, match=refusal):
        correct(task)
    task.refresh_from_db()
    assert (task.status, task.correction, Entry.objects.count()) == (Status.DISPATCHED, "", before)


def test_with_another_task_by_now_the_correction_belongs_there(world: World, task: UpgradeTask) -> None:
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    again = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert again is not None
    with pytest.raises(TenantBusy, match="tenant-b has another"):
        correct(task)
    corrections.correct(again.tasks.get(), done="By hand.", actor=SYSTEM, at=AT)
    assert plans.draft(world.group, at=AT, actor=SYSTEM) is None


def test_a_tenant_admin_says_so_on_the_tasks_page(world: World, task: UpgradeTask, client: Client) -> None:
    admin = factories.member(world.group, "b-admin", Role.TENANT_ADMIN, of=world.tenant_b)
    path = f"/g/acme/tasks/{task.pk}/"
    client.force_login(admin)
    assert "Done by hand?" in client.get(path).content.decode()
    assert client.post(f"{path}correct/", {"done": ""}).status_code == 422
    page = client.post(f"{path}correct/", DONE, follow=True).content.decode()
    assert "The next manifest checks it." in page
    assert "Upgraded on the console." in page
    assert "Done by hand?" not in page
    assert client.post(f"{path}correct/", DONE).status_code == 409


def test_a_failed_tasks_page_says_what_happens_next(world: World, task: UpgradeTask, client: Client) -> None:
    path = f"/g/acme/tasks/{task.pk}/"
    client.force_login(world.owner)
    page = client.get(path).content.decode()
    assert "The next run that a person starts plans it again" in page
    assert "Hand over again" not in page, "the orchestrator had it"
    assert re.search(r"Upgrade task moved on <span[^>]*>Given up</span>", page)
    correct(task)
    page = client.get(path).content.decode()
    assert re.search(r"Upgrade task moved on <span[^>]*>Done by hand, to be verified</span>", page)
    UpgradeTask.objects.filter(pk=task.pk).update(status=Status.VERIFY_FAILED)
    assert "shows the change after all still settles it." in client.get(path).content.decode()
    drift.detect(world.group, at=AT + MINUTE)
    decisions.evaluate(world.group, at=AT + MINUTE, actor=SYSTEM)
    again = plans.draft(world.group, at=AT + MINUTE, actor=SYSTEM)
    assert again is not None
    page = client.get(path).content.decode()
    assert "The tenant has another task since then:" in page
    assert f"/g/acme/tasks/{again.tasks.get().pk}/" in page
    plans.cancel(again, actor=SYSTEM, at=AT + MINUTE)
    assert "The next run plans it again" in client.get(path).content.decode()


@pytest.mark.browser
def test_long_names_break_on_a_narrow_page(world: World, task: UpgradeTask, client: Client) -> None:
    UpgradeTask.objects.filter(pk=task.pk).update(order_id="eclipse-operator/" + "3f2c9a" * 8)
    operator = Actor(ActorKind.SERVICE, 1, "eclipse-operator-" * 4)
    corrections.correct(task, done="By hand.", actor=operator, at=AT)
    client.force_login(world.owner)
    html = client.get(f"/g/acme/tasks/{task.pk}/").content.decode()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.set_content(html)
        for sheet in SHEETS:
            page.add_style_tag(path=finders.find(sheet))
        width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390


def test_others_see_the_task_or_nothing_of_it(world: World, task: UpgradeTask, client: Client) -> None:
    path = f"/g/acme/tasks/{task.pk}/"
    client.force_login(world.viewer)
    assert "Done by hand?" not in client.get(path).content.decode()
    assert client.post(f"{path}correct/", DONE).status_code == 404
    client.force_login(world.tenant_admin)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("status", [Status.MANUAL, Status.VERIFYING])
def test_until_it_is_verified_it_says_what_it_waits_for_and_how_long(
    world: World,
    task: UpgradeTask,
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    status: Status,
) -> None:
    UpgradeTask.objects.filter(pk=task.pk).update(status=status, checked_at=AT + MINUTE)
    told = "Waits for the tenant’s next manifest; without one it counts as failed at 2026-03-03 09:01 UTC."
    client.force_login(world.owner)
    for path in (f"/g/acme/tasks/{task.pk}/", f"/g/acme/plans/{task.plan_id}/"):
        page = client.get(path).content.decode()
        assert told in page
        assert "Queued <time" not in page
    run = shell(capsys, monkeypatch, "task")
    listed = " ".join(run("list").out.split())
    assert "next manifest" in listed
    assert "Queued" not in listed
    assert run("show", str(task.pk), "--json").json["waiting"]["because"] == told
    upgrades.verify(world.group, at=AT + timedelta(days=1))
    task.refresh_from_db()
    assert task.status == status
    upgrades.verify(world.group, at=AT + timedelta(days=1, minutes=1))
    task.refresh_from_db()
    assert task.status == Status.VERIFY_FAILED


def test_the_command_shows_and_corrects(
    world: World, task: UpgradeTask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch, "task")
    assert run("show", str(task.pk)[:8], "--json").json["status"] == "given_up"
    assert "The next run that a person starts" in " ".join(run("show", task.pk).out.split())
    assert run("correct", task.pk).code == 2
    assert run("correct", task.pk, "--done", "By hand.", "--json").json["status"] == "manual"
    assert [row["tenant"] for row in run("list", "--json").json["tasks"]] == ["tenant-b"]
    assert run("correct", task.pk, "--done", "Again.").code == 5
    assert run("show", "nothing").code == 2
