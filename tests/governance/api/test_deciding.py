"""Deciding conflicts through the endpoint."""

from __future__ import annotations

from config.access import Permission
from governance.models import Conflict
from tests.factories import World
from tests.governance import disputed
from tests.governance.api.conftest import Issue


def test_a_conflict_is_listed_with_its_sets_and_what_its_ways_out_take(world: World, service: Issue) -> None:
    disputed.dispute(world)
    answer = service(Permission.POLICY_ENFORCE).get("version/policy/conflicts").json()
    (conflict,) = answer["conflicts"]
    assert [len(one["rules"]) for one in conflict["explanation"]["sets"]] == [2]
    assert conflict["explanation"]["complete"] is True
    assert [way["rules"][0]["plugins"][0]["plugin"] for way in conflict["ways_out"]] == ["crm", "crm"]
    assert conflict["decided_earlier"] is False


def test_a_choice_that_does_not_lead_out_is_a_problem(world: World, service: Issue) -> None:
    disputed.behind(world)
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-b"]})
    disputed.hold(world, {"keys": ["tenant-b"]})
    conflict = Conflict.objects.waiting().get()
    body = {
        "conflict": str(conflict.pk),
        "set_aside": [{"policy": "freeze", "key": "hold"}],
        "reason": "Agreed.",
        "decided_by": "owner",
    }
    refused = service(Permission.CONFLICT_DECIDE).post("version/policy/decide", body)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "still no way to go for crm in tenant-b" in refused.json()["detail"]
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.OPEN
