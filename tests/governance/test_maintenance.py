"""Windows and freezes kept to: agreed by tenant admins, seen by the group, obeyed at the hand-over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from audit.models import Entry, Report
from config.access import SYSTEM
from governance import configuration, maintenance, pipeline, plans, upgrades, waiting
from governance.calendars import Freeze
from governance.documents import ConfigurationError
from governance.models import Configuration, MaintenanceWindow, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout
from tests.ground import Kind

pytestmark = pytest.mark.django_db
SCENE = Kind(rollout.running_task)
# AT is a Monday, 09:00 UTC.
NIGHT = {"days": [0], "starts": "22:00", "ends": "02:00", "zone": "Europe/Berlin"}
OPENS = AT.replace(hour=21)
FREEZE = """\
version: 1
groups:
  acme:
    freezes:
      - {{name: books, from: {0}, until: {1}, reason: Books close.}}
"""


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def task(standing_scene: UpgradeTask) -> UpgradeTask:
    """tenant-b's, queued."""
    return standing_scene


def agree(world: World) -> MaintenanceWindow:
    return maintenance.agree(
        world.tenant_b, days=[0], starts=time(22), ends=time(2), zone="Europe/Berlin", actor=SYSTEM, at=AT
    )


def apply(world: World, folder: Path, start: str, end: str) -> None:
    (folder / configuration.BASELINES).write_text(FREEZE.format(start, end))
    configuration.apply_folder(folder, actor=SYSTEM, at=AT)


def why(task: UpgradeTask, at: datetime = AT) -> waiting.Explanation | None:
    found = UpgradeTask.objects.select_related("group", "plan", "tenant").get(pk=task.pk)
    return waiting.explain_one(found, at=at)


def test_a_task_waits_for_its_tenants_window_and_says_when_it_opens(world: World, task: UpgradeTask) -> None:
    agree(world)
    assert upgrades.dispatch_due(world.group, at=AT) == 0
    told = "Outside its tenant’s maintenance windows; the next one opens at 2026-03-02 21:00 UTC."
    assert why(task) == waiting.Explanation(told, None, OPENS)
    assert upgrades.dispatch_due(world.group, at=OPENS - timedelta(minutes=1)) == 0
    assert upgrades.dispatch_due(world.group, at=OPENS) == 1


def test_a_window_that_never_opens_is_said_to_and_not_to_open_tomorrow(
    world: World, task: UpgradeTask
) -> None:
    row = agree(world)
    MaintenanceWindow.objects.filter(pk=row.pk).update(starts=time(2, 1), ends=time(2, 9))
    assert upgrades.dispatch_due(world.group, at=AT) == 0
    assert why(task) == waiting.Explanation(maintenance.NEVER_OPENS)
    awaited = maintenance.awaited(UpgradeTask.objects.all(), AT)
    assert awaited is not None
    assert (awaited.tasks, awaited.as_json()["next_opens_at"]) == (1, None)
    assert str(awaited) == "1 task waits for maintenance windows, which never open."
    MaintenanceWindow.objects.filter(pk=row.pk).update(starts=time(2), ends=time(3), days=[1])
    assert upgrades.dispatch_due(world.group, at=AT + timedelta(days=1)) == 0
    told = why(task, AT + timedelta(days=1))
    assert told is not None
    assert told.expected_at == AT.replace(hour=1) + timedelta(days=8), "looked at again"


def test_a_window_that_closed_before_its_turn_came_is_waited_for_again(
    world: World, task: UpgradeTask
) -> None:
    agree(world)
    upgrades.dispatch_due(world.group, at=AT)
    assert upgrades.dispatch_due(world.group, at=OPENS + timedelta(hours=4)) == 0
    task.refresh_from_db()
    assert task.not_before == OPENS + timedelta(days=7)


def test_after_a_pause_it_is_still_said_that_a_window_never_opens(world: World, task: UpgradeTask) -> None:
    row = agree(world)
    MaintenanceWindow.objects.filter(pk=row.pk).update(starts=time(2, 1), ends=time(2, 9))
    upgrades.dispatch_due(world.group, at=AT)
    plans.pause(task.plan, actor=SYSTEM, at=AT, reason="Customers call.")
    plans.resume(task.plan, actor=SYSTEM, at=AT)
    upgrades.dispatch_due(world.group, at=AT)
    assert why(task) == waiting.Explanation(maintenance.NEVER_OPENS)


def test_other_tenants_do_not_wait(world: World, task: UpgradeTask) -> None:
    maintenance.agree(world.tenant_a, days=[3], starts=time(1), ends=time(2), zone="UTC", actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(world.group, at=AT) == 1


def test_without_its_window_a_task_goes_at_once(world: World, task: UpgradeTask) -> None:
    row = agree(world)
    upgrades.dispatch_due(world.group, at=AT)
    maintenance.end(row, actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(world.group, at=AT) == 1
    actions = Entry.objects.filter(action__startswith="window.").order_by("sequence")
    told = "Monday 22:00–02:00 Europe/Berlin"
    assert [(entry.action, entry.data["window"]) for entry in actions] == [
        ("window.agreed", told),
        ("window.ended", told),
    ]


def test_a_frozen_group_hands_nothing_over_and_says_until_when(
    world: World, task: UpgradeTask, tmp_path: Path
) -> None:
    apply(world, tmp_path, "2026-03-01", "2026-03-03")
    assert upgrades.dispatch_due(world.group, at=AT) == 0
    until = datetime(2026, 3, 4, tzinfo=AT.tzinfo)
    told = "Frozen until 2026-03-04 00:00 UTC (books): Books close."
    assert why(task) == waiting.Explanation(told, None, until)
    assert upgrades.dispatch_due(world.group, at=until) == 1


@pytest.mark.parametrize(
    ("reason", "told"), [("Year end", "Year end."), ("Books close.", "Books close."), ("Why? ", "Why?")]
)
def test_a_freezes_reason_ends_its_sentence(reason: str, told: str) -> None:
    freeze = Freeze("yearend", AT, OPENS, reason)
    assert maintenance.in_words(freeze).endswith(f" UTC (yearend): {told}")


def test_freezes_come_and_go_with_the_configuration(world: World, tmp_path: Path) -> None:
    apply(world, tmp_path, "2026-03-01", "2026-03-03")
    [freeze] = Configuration.objects.get().freezes or []
    exported = configuration.export_baselines([world.group])["groups"]["acme"]["freezes"]
    assert exported == [freeze]
    assert Entry.objects.get(action="freezes.applied").data["freezes"] == [freeze]
    (tmp_path / configuration.BASELINES).write_text("version: 1\ngroups: {acme: {freezes: []}}\n")
    configuration.apply_folder(tmp_path, actor=SYSTEM, at=AT)
    assert maintenance.freeze_at(world.group, AT) is None


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-03-03", "2026-03-01", "ends before it starts"),
        ('"2026-02-31"', "2026-03-01", "is not a date"),
        ("in 9 days", "2026-03-01", "freezes"),
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused(
    world: World, tmp_path: Path, start: str, end: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        apply(world, tmp_path, start, end)


def test_a_tenant_admin_agrees_and_ends_windows_of_the_own_tenant(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    path = f"/g/acme/tenants/{world.tenant_a.pk}/windows/"
    assert "At any time" in client.get(path).content.decode()
    assert client.post(f"{path}agree/", {**NIGHT, "starts": "22:07"}).status_code == 422
    assert client.post(f"{path}agree/", {**NIGHT, "zone": "Mars/Olympus"}).status_code == 422
    client.post(f"{path}agree/", NIGHT)
    row = MaintenanceWindow.objects.get()
    assert "Monday 22:00–02:00 Europe/Berlin" in client.get(path).content.decode()
    other = f"/g/acme/tenants/{world.tenant_b.pk}/windows/"
    assert client.post(f"{other}agree/", NIGHT).status_code == 404
    assert client.post(f"{other}end/", {"window": row.pk}).status_code == 404
    client.post(f"{path}end/", {"window": row.pk})
    assert not MaintenanceWindow.objects.exists()


def test_the_group_sees_its_calendar_and_leaves_windows_to_the_tenants(
    world: World, client: Client, tmp_path: Path
) -> None:
    row = agree(world)
    apply(world, tmp_path, "2026-03-01", "2026-03-03")
    client.force_login(factories.member(world.group, "operator", Role.OPERATOR))
    page = client.get("/g/acme/plans/calendar/").content.decode()
    assert "Monday 22:00–02:00 Europe/Berlin" in page
    assert "Frozen now" in page
    path = f"/g/acme/tenants/{world.tenant_b.pk}/windows/"
    assert "Agree a window" not in client.get(path).content.decode()
    assert client.post(f"{path}end/", {"window": row.pk}).status_code == 404
    client.force_login(world.tenant_admin)
    assert client.get("/g/acme/plans/calendar/").status_code == 404


def test_a_run_and_its_report_say_how_many_tasks_wait_for_windows_and_when_the_next_opens(
    world: World, client: Client
) -> None:
    rollout.world_behind(world)
    agree(world)
    run = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    run = pipeline.advance_run(run.pk, clock=lambda: AT)
    assert run.status == Run.Status.COMPLETED
    verified = run.figures["verify"]
    assert (verified["wait_for_windows"], verified["next_window"]) == (1, "2026-03-02 21:00 UTC")
    told = (
        "1 task waits for maintenance windows; the next opens at 2026-03-02 21:00 UTC, "
        "and what waits for it goes on by itself then."
    )
    report = Report.objects.get(run_id=run.pk)
    assert report.data is not None
    waits = {"tasks": 1, "next_opens_at": OPENS.isoformat(), "says": told}
    assert report.data["planned"]["windows"] == waits
    client.force_login(world.owner)
    assert told in client.get(f"/g/acme/reports/{report.pk}/").content.decode()
    page = client.get(f"/g/acme/plans/runs/{run.pk}/").content.decode()
    assert "1 task waits for maintenance windows; when the run last looked" in page
    assert "2026-03-02 21:00 UTC. The run doesn’t wait for that: its plan goes on by itself then." in page


def test_a_window_that_two_end_at_once_has_ended_once(world: World, task: UpgradeTask) -> None:
    row = agree(world)
    same = MaintenanceWindow.objects.select_related("tenant").get(pk=row.pk)
    maintenance.end(row, actor=SYSTEM, at=AT)
    with pytest.raises(maintenance.EndedAlready):
        maintenance.end(same, actor=SYSTEM, at=AT)
    assert Entry.objects.filter(action="window.ended").count() == 1


def test_whoever_was_slower_to_end_a_window_is_told(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, end = agree(world), maintenance.end

    def beaten(row: MaintenanceWindow, **how: Any) -> None:
        end(row, actor=SYSTEM, at=AT)
        end(row, **how)

    monkeypatch.setattr(maintenance, "end", beaten)
    client.force_login(factories.member(world.group, "admin-b", Role.TENANT_ADMIN, of=world.tenant_b))
    path = f"/g/acme/tenants/{world.tenant_b.pk}/windows/end/"
    page = client.post(path, {"window": row.pk}, follow=True).content.decode()
    assert "has ended already" in page


def test_windows_are_kept_to_however_many_may_go_at_once(
    world: World, task: UpgradeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_CHUNK", 1)
    later = factories.tenant(world.group, "tenant-c")
    maintenance.agree(later, days=[3], starts=time(1), ends=time(2), zone="UTC", actor=SYSTEM, at=AT)
    task.pk, task.idempotency_key, task.tenant = uuid4(), "later", later
    task._state.adding = True
    task.save()
    assert upgrades.dispatch_due(world.group, at=AT) == 1
    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.QUEUED
