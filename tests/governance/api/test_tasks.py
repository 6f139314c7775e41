"""Upgrade tasks over REST."""

from __future__ import annotations

import pytest

from config.access import SYSTEM, Permission
from governance import upgrades
from governance.models import UpgradeTask
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout
from tests.governance.api.conftest import Issue

pytestmark = pytest.mark.django_db
DONE = {"done": "Upgraded on the console."}


@pytest.fixture
def path(world: World) -> str:
    """The address of a task that was given up."""
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    task.refresh_from_db()
    upgrades.move(task, UpgradeTask.Status.GIVEN_UP, actor=SYSTEM, at=AT)
    return f"version/upgrade/task/{task.pk}"


def test_a_service_says_what_was_done_by_hand(path: str, service: Issue) -> None:
    caller = service(Permission.TASK_CORRECT, Permission.TENANT_VIEW)
    assert caller.get(path).json()["status"] == "given_up"
    assert caller.post(f"{path}/correct", DONE, key="k").json()["status"] == "manual"
    assert caller.post(f"{path}/correct", DONE, key="k").json()["status"] == "manual"
    assert caller.post(f"{path}/correct", DONE, key="other").status_code == 409


def test_it_takes_the_scope_and_words(path: str, service: Issue) -> None:
    assert service(Permission.TENANT_VIEW).post(f"{path}/correct", DONE).status_code == 403
    assert service(Permission.TASK_CORRECT).post(f"{path}/correct", {}).status_code == 400


def test_another_groups_task_is_not_there(path: str, service: Issue) -> None:
    elsewhere = service(Permission.TENANT_VIEW, group=factories.group("other"))
    assert elsewhere.get(path).status_code == 404
