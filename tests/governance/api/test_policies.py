"""Policies over REST."""

from __future__ import annotations

import pytest

from audit.models import Entry
from config.access import Permission
from governance.models import Policy, UpgradeTask
from tests import factories
from tests.factories import World
from tests.governance import rollout
from tests.governance.api.conftest import Issue

pytestmark = pytest.mark.django_db
PAUSE, RESUME = "version/policy/pause", "version/policy/resume"


@pytest.fixture
def task(world: World) -> UpgradeTask:
    """One that waits, of the policy `core`."""
    return rollout.running_task(world)


def test_a_service_pauses_a_policy_with_a_reason_and_resumes_it(task: UpgradeTask, service: Issue) -> None:
    caller, said = service(Permission.POLICY_EDIT), {"policy": "core", "reason": "Customers call."}
    assert caller.post(PAUSE, said, key="k").json() == {"name": "core", "status": "paused"}
    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.CANCELLED
    assert Entry.objects.get(action="policy.paused").data["reason"] == "Customers call."
    assert caller.post(PAUSE, said, key="k").status_code == 200
    assert caller.post(PAUSE, said, key="other").status_code == 409
    assert caller.post(RESUME, said).json() == {"name": "core", "status": "active"}
    assert caller.post(RESUME, said).status_code == 409


def test_it_takes_the_scope_the_group_a_policy_and_a_reason(task: UpgradeTask, service: Issue) -> None:
    said = {"policy": "core", "reason": "Customers call."}
    elsewhere = service(Permission.POLICY_EDIT, group=factories.group("other"))
    for path in (PAUSE, RESUME):
        assert service(Permission.PLAN_OPERATE).post(path, said).status_code == 403
        assert elsewhere.post(path, said).status_code == 404
        assert service(Permission.POLICY_EDIT).post(path, {**said, "policy": "none"}).status_code == 404
        assert service(Permission.POLICY_EDIT).post(path, {"policy": "core"}).status_code == 400
    assert Policy.objects.get(name="core").status == Policy.Status.ACTIVE
