"""Runs in the console: listed, followed stage by stage, begun and given up."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from governance import run_wording
from governance.decisions import EvaluationResult
from governance.drift import DriftResult
from governance.manifests import IngestResult
from governance.models import Conflict, ManifestSource, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Group
from tests import factories
from tests.factories import AT, World
from tests.governance.furnished import Furnished

LIST = "/g/acme/plans/runs/"


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def run(world: World, number: int, status: Run.Status, **fields: Any) -> Run:
    return Run.objects.create(
        group=world.group,
        number=number,
        trigger=Trigger.SCHEDULE,
        status=status,
        started_by_name="x",
        started_at=AT,
        **fields,
    )


def text(client: Client, path: str, target: str = "") -> str:
    response = client.get(path, headers={"HX-Request": "true", "HX-Target": target} if target else {})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", ["Run 2", "Run 1"]), ("status=failed", ["Run 1"]), ("sort=number", ["Run 1", "Run 2"])],
)
def test_the_list_is_narrowed_and_sorted(world: World, owner: Client, query: str, shown: list[str]) -> None:
    run(world, 1, Run.Status.FAILED)
    run(world, 2, Run.Status.COMPLETED)
    assert re.findall(r">(Run \d+)</a>", text(owner, f"{LIST}?{query}")) == shown


def test_the_list_costs_the_same_however_long_it_is(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    run(world, 1, Run.Status.COMPLETED)
    with django_assert_max_num_queries(50) as few:
        text(owner, LIST)
    for number in range(2, 12):
        run(world, number, Run.Status.COMPLETED)
    with django_assert_max_num_queries(len(few)):
        text(owner, LIST)


def test_a_run_tells_what_each_stage_did(world: World, owner: Client) -> None:
    figures = {"collect": {"manifests": 3, "refused": 0, "seconds": 0.25}, "seal": {"seconds": 0.1}}
    found = run(world, 1, Run.Status.FAILED, figures=figures, error="The orchestrator is away.")
    page = text(owner, f"{LIST}{found.pk}/")
    assert "manifests taken <strong>3</strong>" in page
    assert "refused" not in page
    assert "nothing to do" in page
    assert "not yet" in page
    assert "The orchestrator is away." in page


def test_a_run_that_stands_at_conflicts_leads_to_them(house: Furnished, owner: Client) -> None:
    page = text(owner, f"{LIST}{house.run.pk}/")
    assert "The run waits for these decisions" in page
    assert f'href="/g/acme/decisions/{house.conflict.pk}/"' in page


def test_a_completed_run_says_which_conflicts_wait_all_the_same(house: Furnished, owner: Client) -> None:
    completed = run(house.world, 99, Run.Status.COMPLETED, finished_at=house.conflict.found_at)
    page = text(owner, f"{LIST}{completed.pk}/")
    assert 'href="/g/acme/decisions/?status=open">1 conflict waits for a decision</a>' in page
    assert "waits for a decision" not in text(owner, f"{LIST}{house.run.pk}/"), "its status says so"
    Conflict.objects.update(status=Conflict.Status.DECIDED)
    assert "waits for a decision" not in text(owner, f"{LIST}{completed.pk}/")


def test_a_run_leaves_the_conflicts_that_it_saw_of_its_policies(house: Furnished) -> None:
    found = house.conflict.found_at
    [named, *_] = [rule["policy"] for rule in house.conflict.explanation["rules"]]
    fields = {"finished_at": found, "policy_names": [named, "other"]}
    saw = run(house.world, 97, Run.Status.COMPLETED, **fields)
    others = run(house.world, 98, Run.Status.COMPLETED, **{**fields, "policy_names": ["other"]})
    before = run(house.world, 99, Run.Status.COMPLETED, finished_at=found - timedelta(minutes=1))
    assert [run_wording.left(one) for one in (saw, others, before)] == [1, 0, 0]
    assert run_wording.stands(saw, 1200) == "Completed; 1,200 conflicts wait for a decision"


def test_a_run_renews_itself_only_while_it_is_under_way(world: World, owner: Client) -> None:
    found = run(world, 1, Run.Status.RUNNING)
    assert 'hx-trigger="every' in text(owner, f"{LIST}{found.pk}/", "run")
    Run.objects.update(status=Run.Status.COMPLETED)
    part = text(owner, f"{LIST}{found.pk}/", "run")
    assert part.startswith('<div id="run"')
    assert 'hx-trigger="every' not in part
    assert 'id="page-actions" hx-swap-oob="true"></div>' in part, "nothing is left to be given up"


def test_its_figures_are_in_words_that_say_what_they_count(world: World, owner: Client) -> None:
    figures = {"evaluate": {"judged_tenants": 4, "situations": 2, "wanted_changes": 3, "unsettled": 1}}
    found = run(world, 1, Run.Status.COMPLETED, figures={**figures, "seal": {"snapshot": 7, "sealed": 1}})
    page = text(owner, f"{LIST}{found.pk}/")
    for told in ("tenants looked into", "different cases", "installations to be changed", "newly sealed"):
        assert told in page
    for jargon in ("judged tenants", "situations", "wanted changes", "sealed <strong>"):
        assert jargon not in page


def test_every_figure_of_the_stages_has_words(world: World) -> None:
    counted = {
        "collect": IngestResult().figures(),
        "evaluate": {**DriftResult().figures(), **EvaluationResult(*[1] * 8).figures()},
        "verify": dict.fromkeys(UpgradeTask.Status.values, 1),
    }
    for stage, figures in counted.items():
        for name in figures:
            (one,) = run_wording.told(stage, {name: 1})
            assert one.label != name.replace("_", " ")


def test_before_a_run_it_is_said_what_it_would_set_going(world: World, owner: Client) -> None:
    assert "No policy acts" in text(owner, f"{LIST}start/")
    factories.plugin(world.group, "crm", ["1.0.0"])
    rule = [{"name": "crm", "plugins": ["crm"], "at_least": "1.0.0"}]
    for name, mode in (("core", "enforce"), ("mild", "remind"), ("watch", "observe")):
        factories.policy(world.group, name, rule, profile={"mode": mode})
    factories.policy(world.group, "still", [], kind="hold", plugins=["crm"])
    careful = {"mode": "enforce", "approval": True}
    factories.policy(world.group, "careful", rule, profile=careful)
    page = text(owner, f"{LIST}start/")
    for told in (
        "2 policies act",
        "1 policy reminds",
        "1 hold keeps",
        "1 policy only observes",
        "anything of careful in it waits",
    ):
        assert told in page
    assert not Run.objects.exists()
    Group.objects.filter(pk=world.group.pk).update(sync_enabled=False)
    assert "switched off for this group: a plan can be made" in text(owner, f"{LIST}start/")


@pytest.mark.parametrize("dry", [True, False])
def test_a_run_is_begun(world: World, owner: Client, dry: bool) -> None:
    answer = owner.post(f"{LIST}start/", {"dry_run": "1"} if dry else {})
    begun = Run.objects.get()
    assert answer.headers["Location"] == f"{LIST}{begun.pk}/"
    assert (begun.dry_run, begun.trigger, begun.started_by_name) == (dry, Trigger.HAND, "owner")


def test_a_second_run_leads_to_the_one_that_is_under_way(world: World, owner: Client) -> None:
    found = run(world, 1, Run.Status.RUNNING)
    answer = owner.post(f"{LIST}start/")
    assert answer.headers["Location"] == f"{LIST}{found.pk}/"
    assert Run.objects.count() == 1


def test_no_run_is_begun_while_governance_is_off(world: World, owner: Client) -> None:
    Group.objects.filter(pk=world.group.pk).update(governance_enabled=False)
    answer = owner.post(f"{LIST}start/", follow=True)
    assert "plugin-version-governance is off" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_run_is_given_up(world: World, owner: Client) -> None:
    found = run(world, 1, Run.Status.ACTING)
    assert owner.post(f"{LIST}{found.pk}/cancel/").status_code == 303
    found.refresh_from_db()
    assert found.status == Run.Status.CANCELLED
    assert owner.post(f"{LIST}{found.pk}/cancel/").status_code == 409


def test_only_those_who_may_enforce(world: World, client: Client) -> None:
    found = run(world, 1, Run.Status.RUNNING)
    client.force_login(world.viewer)
    assert "Run now" not in text(client, LIST)
    assert client.post(f"{LIST}start/").status_code == 404
    assert client.post(f"{LIST}{found.pk}/cancel/").status_code == 404
    for user in (world.tenant_admin, world.outsider):
        client.force_login(user)
        assert client.get(f"{LIST}{found.pk}/").status_code == 404


def test_what_a_run_would_do_costs_the_same_however_many_policies_there_are(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    factories.plugin(world.group, "crm", ["1.0.0"])
    rule = [{"name": "crm", "plugins": ["crm"], "at_least": "1.0.0"}]
    factories.policy(world.group, "first", rule, profile={"mode": "enforce"})
    with django_assert_max_num_queries(20) as few:
        text(owner, f"{LIST}start/")
    for number in range(5):
        factories.policy(world.group, f"p-{number}", rule, profile={"mode": "enforce"})
    with django_assert_max_num_queries(len(few)):
        assert "6 policies act" in text(owner, f"{LIST}start/")


def test_a_source_that_could_not_be_read_is_named_with_the_reason(
    world: World, owner: Client, client: Client
) -> None:
    found = run(world, 1, Run.Status.COMPLETED)
    sources = ManifestSource.objects
    sources.create(group=world.group, kind="folder", address="/srv/fine", last_collected_at=AT)
    sources.create(
        group=world.group,
        kind="http",
        address="https://manifests.example",
        last_collected_at=AT,
        last_error="Connection refused",
    )
    shown = text(owner, f"{LIST}{found.pk}/")
    assert "https://manifests.example" in shown
    assert "Connection refused" in shown
    assert "/srv/fine" not in shown
    client.force_login(world.viewer)
    shown = text(client, f"{LIST}{found.pk}/")
    assert "couldn’t be read" in shown
    assert "manifests.example" not in shown
    assert "Connection refused" not in shown
