"""Upgrade tasks over REST."""

from __future__ import annotations

from datetime import timedelta

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
    assert "next manifest; without one" in caller.get(path).json()["waiting"]["because"]


def test_what_follows_a_failure_is_told(path: str, service: Issue) -> None:
    caller = service(Permission.TASK_CORRECT, Permission.TENANT_VIEW)
    told = caller.get(path).json()
    assert told["what_happens_next"].startswith("The next run that a person starts plans it again")
    assert told["later_task"] is None
    failed = UpgradeTask.objects.get()
    later = UpgradeTask.objects.create(
        **{name: getattr(failed, name) for name in ("group", "plan", "tenant", "steps", "situation_digest")},
        idempotency_key="later",
        created_at=AT + timedelta(hours=1),
    )
    told = caller.get(path).json()
    assert told["what_happens_next"].endswith(f"another task since then: {later}, queued.")
    assert told["later_task"] == str(later.pk)
    assert caller.get(f"version/upgrade/task/{later.pk}").json()["what_happens_next"] is None


def test_it_takes_the_scope_and_words(path: str, service: Issue) -> None:
    assert service(Permission.TENANT_VIEW).post(f"{path}/correct", DONE).status_code == 403
    assert service(Permission.TASK_CORRECT).post(f"{path}/correct", {}).status_code == 400


def test_another_groups_task_is_not_there(path: str, service: Issue) -> None:
    elsewhere = service(Permission.TENANT_VIEW, group=factories.group("other"))
    assert elsewhere.get(path).status_code == 404


@pytest.fixture
def queued(world: World) -> UpgradeTask:
    """A task that waits."""
    return rollout.running_task(world)


def test_the_queue_says_why_each_task_is_not_running(queued: UpgradeTask, service: Issue) -> None:
    [row] = service(Permission.GROUP_VIEW).get("version/upgrade/queue").json()["tasks"]
    assert (row["tenant"], row["waiting"]["position"]) == ("tenant-b", 1)
    assert row["waiting"]["because"] == "It is handed over in the next round."
    elsewhere = service(Permission.GROUP_VIEW, group=factories.group("other"))
    assert elsewhere.get("version/upgrade/queue").json() == {"tasks": []}


def test_a_task_is_moved_within_the_queue_once_for_a_key(queued: UpgradeTask, service: Issue) -> None:
    caller, said = service(Permission.PLAN_OPERATE), {"move": "raise", "reason": "The board asked."}
    path = f"version/upgrade/task/{queued.pk}/prioritise"
    first = caller.post(path, said, key="k").json()
    assert caller.post(path, said, key="k").json() == first
    assert first["priority"] == queued.priority + 100
    assert caller.post(path, {"move": "raise"}).status_code == 400
    assert caller.post(path, {"move": "away", "reason": "x"}).status_code == 400


def test_a_service_stops_the_group_and_lets_it_go_on(world: World, service: Issue) -> None:
    caller, said = service(Permission.PLAN_OPERATE), {"reason": "Customers call."}
    assert caller.post("version/upgrade/halt", said).json() == {"group": "acme", "halted": True}
    assert caller.post("version/upgrade/halt", said).status_code == 409
    assert caller.post("version/upgrade/release", said).json() == {"group": "acme", "halted": False}
    assert caller.post("version/upgrade/halt", {}).status_code == 400
    assert service(Permission.GROUP_VIEW).post("version/upgrade/halt", said).status_code == 403
