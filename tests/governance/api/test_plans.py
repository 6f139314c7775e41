"""Plans over REST."""

from __future__ import annotations

import pytest

from audit.models import Entry
from config.access import SYSTEM, Permission
from governance import decisions, drift, plans
from governance.models import Plan
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout
from tests.governance.api.conftest import Issue

pytestmark = pytest.mark.django_db
PATH = "version/policy/plan/1"


@pytest.fixture
def plan(world: World) -> Plan:
    """The owner's, which someone else has to approve."""
    rollout.world_behind(world)
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "core", [rule], profile={**rollout.PROFILE, "approval": True})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    drafted = plans.draft(world.group, at=AT, actor=world.access(world.owner).actor)
    assert drafted is not None
    return drafted


def test_a_person_approves_through_a_service(world: World, plan: Plan, service: Issue) -> None:
    factories.member(world.group, "approver", Role.APPROVER)
    caller = service(Permission.PLAN_APPROVE, Permission.PLAN_OPERATE, Permission.GROUP_VIEW)
    assert caller.get(PATH).json()["needs_approval"] is True
    assert caller.post(f"{PATH}/start").json()["type"].endswith("four-eyes")
    for username, status in (("nobody", 400), (world.viewer.username, 400), (world.owner.username, 409)):
        assert caller.post(f"{PATH}/approve", {"approved_by": username}).status_code == status
    approved = caller.post(f"{PATH}/approve", {"approved_by": "approver"}, key="k").json()
    assert approved["status"] == "approved"
    assert caller.post(f"{PATH}/approve", {"approved_by": "approver"}, key="k").json() == approved
    assert caller.post(f"{PATH}/start").json()["status"] == "running"


def test_a_service_pauses_with_a_reason_and_resumes(plan: Plan, service: Issue) -> None:
    Plan.objects.update(status=Plan.Status.RUNNING)
    caller = service(Permission.PLAN_OPERATE)
    assert caller.post(f"{PATH}/pause", {}).status_code == 400
    paused = caller.post(f"{PATH}/pause", {"reason": "Customers call."}).json()
    assert (paused["status"], paused["pause_reason"]) == ("paused", "Customers call.")
    assert caller.post(f"{PATH}/pause", {"reason": "Again."}).status_code == 409
    assert caller.post(f"{PATH}/resume").json()["status"] == "running"


def test_a_service_cancels_and_a_key_is_for_one_plan(plan: Plan, service: Issue) -> None:
    caller = service(Permission.PLAN_OPERATE)
    assert caller.post(f"{PATH}/cancel", key="k").json()["status"] == "cancelled"
    assert caller.post(f"{PATH}/cancel", key="k").json()["status"] == "cancelled"
    other = caller.post("version/policy/plan/2/cancel", key="k")
    assert (other.status_code, other.json()["type"].endswith("key-reused")) == (422, True)
    assert caller.post(f"{PATH}/cancel").status_code == 409


def test_it_takes_the_scope_and_the_group(plan: Plan, service: Issue) -> None:
    for verb in ("start", "resume", "approve", "cancel"):
        assert service(Permission.GROUP_VIEW).post(f"{PATH}/{verb}").status_code == 403
    elsewhere = service(Permission.PLAN_OPERATE, Permission.GROUP_VIEW, group=factories.group("other"))
    assert elsewhere.get(PATH).status_code == 404
    assert elsewhere.post(f"{PATH}/start").status_code == 404


def test_a_plan_whose_world_moved_stays_refused(world: World, plan: Plan, service: Issue) -> None:
    Plan.objects.update(needs_approval=False)
    rollout.report(world, "tenant-b", "2.4.0", AT)
    caller = service(Permission.PLAN_OPERATE, Permission.GROUP_VIEW)
    answer = caller.post(f"{PATH}/start", key="k")
    assert (answer.status_code, answer.json()["type"].endswith("world-moved")) == (409, True)
    assert caller.get(PATH).json()["status"] == "refused"
    assert Entry.objects.filter(action="plan.refused").count() == 1
