"""Rollbacks over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from config.access import SYSTEM, Permission
from governance import policies, profiles, simulation, snapshots
from governance.models import Exemption, Plan, Rollback, Simulation
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World
from tests.governance.api.conftest import Issue
from tests.ground import Kind

pytestmark = pytest.mark.django_db
PATH = "version/policy/rollback"
ASK = {"snapshot": 1, "reason": "Customers call."}


def move(world: World) -> World:
    """tenant-b went from crm 2.3.0 to 2.4.0 since snapshot 1, as a policy wants."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    rules = [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}]
    document = {"name": "core", "profile": "steady", "tenants": "*", "rules": rules}
    policies.apply(world.group, document, actor=SYSTEM, at=AT)
    snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    world.tenant_b.group.refresh_from_db()
    factories.install(world.tenant_b, {"crm": "2.4.0"})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    return world


SCENE = Kind(move)


@pytest.fixture
def moved(standing_scene: World) -> World:
    return standing_scene


def test_it_is_prepared_looked_at_and_put_in_force_once(moved: World, service: Issue) -> None:
    caller = service(Permission.ROLLBACK_OPERATE)
    prepared = caller.post(PATH, ASK, key="a").json()
    assert [one["policy"] for one in prepared["policies"]] == ["core"]
    assert prepared["simulation"]["order"][0]["steps"][0]["to"] == "2.3.0"
    assert caller.post(PATH, ASK, key="a").json() == prepared
    assert not Exemption.objects.exists()
    status = prepared["status_url"].removeprefix("/internal/")
    assert caller.get(status).json()["simulation"]["status"] == "ready"
    applied = caller.post(f"{status}/apply", key="b").json()
    assert applied["plan"]["tasks"][0]["steps"][0]["to"] == "2.3.0"
    assert caller.post(f"{status}/apply", key="b").json() == applied
    assert caller.post(f"{status}/apply").status_code == 409
    assert (Exemption.objects.count(), Plan.objects.count()) == (1, 1)


def test_it_is_worked_out_with_nothing_locked_by_which_others_would_have_to_wait(
    moved: World, service: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, within = len(connection.savepoint_ids), list[int]()
    run = simulation.run

    def watched(simulation_id: Any, *, at: Any) -> Any:
        within.append(len(connection.savepoint_ids))
        return run(simulation_id, at=at)

    monkeypatch.setattr(simulation, "run", watched)
    caller = service(Permission.ROLLBACK_OPERATE)
    assert caller.post(PATH, ASK, key="a").json()["simulation"]["status"] == "ready"
    assert within == [outside], "the transaction that keeps the rollback is over by then"


def test_one_that_was_kept_but_not_worked_out_is_when_it_is_asked_again(moved: World, service: Issue) -> None:
    caller = service(Permission.ROLLBACK_OPERATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "run", lambda pk, **_kinds: Simulation.objects.get(pk=pk))
        assert caller.post(PATH, ASK, key="a").status_code == 202
    again = caller.post(PATH, ASK, key="a")
    assert (again.status_code, again.json()["simulation"]["status"]) == (200, "ready")
    assert Rollback.objects.count() == 1


def test_it_may_be_worked_out_in_the_background(moved: World, service: Issue) -> None:
    caller = service(Permission.ROLLBACK_OPERATE)
    answer = caller.post(PATH, {**ASK, "way": "pause", "tenants": ["tenant-b"]})
    assert (answer.status_code, answer.json()["way"]) == (200, "pause")
    Rollback.objects.get().simulation.__class__.objects.update(status="queued")
    assert caller.get(f"{PATH}/1").status_code == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x"}, 400),
        ({**ASK, "before_plan": 1}, 400),
        ({**ASK, "snapshot": 9}, 404),
        ({**ASK, "policy": "nobody"}, 404),
        ({**ASK, "until": "2020-01-01T00:00:00Z"}, 400),
        ({**ASK, "tenants": ["tenant-a"]}, 409),
        ({**ASK, "tenants": []}, 400),  # not all of them
        ({**ASK, "tenants": ["tenant-b", "tenant-z"]}, 400),
        ({**ASK, "colour": "red"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(
    moved: World, service: Issue, body: dict[str, object], status: int
) -> None:
    answer = service(Permission.ROLLBACK_OPERATE).post(PATH, body)
    assert answer.status_code == status, answer.json()
    assert not Rollback.objects.exists()


def test_it_takes_the_scope_and_the_group(moved: World, service: Issue) -> None:
    service(Permission.ROLLBACK_OPERATE).post(PATH, ASK)
    others = service(Permission.PLAN_OPERATE, Permission.POLICY_EDIT, Permission.EXEMPTION_DECIDE)
    assert others.post(PATH, ASK).status_code == 403
    assert others.post(f"{PATH}/1/apply").status_code == 403
    elsewhere = service(Permission.ROLLBACK_OPERATE, group=factories.group("other"))
    assert elsewhere.get(f"{PATH}/1").status_code == 404
    assert elsewhere.post(f"{PATH}/1/apply").status_code == 404


def test_policies_give_way_one_by_one(moved: World, service: Issue) -> None:
    caller = service(Permission.ROLLBACK_OPERATE)
    prepared = caller.post(PATH, {**ASK, "ways": {"core": "pause"}}).json()
    assert (prepared["way"], prepared["policies"][0]["way"]) == ("pause", "pause")
    for ways in ({"core": "mixed"}, {"other": "pause"}):
        assert caller.post(PATH, {**ASK, "ways": ways}).status_code == 400
