"""manage.py plan: what it answers and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.access import SYSTEM
from governance import decisions, drift, plans
from governance.models import Plan
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import Answer, one_behind, shell


@pytest.fixture
def command(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Runs `manage.py plan` on a group with one drafted plan that its owner made."""
    one_behind(world)
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce", "approval": True})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    assert plans.draft(world.group, at=AT, actor=world.access(world.owner).actor)
    return shell(capsys, monkeypatch, "plan")


def test_plans_are_listed_and_shown(command: Any) -> None:
    assert command("list", "--json").json["plans"] == [
        {"number": 1, "status": "drafted", "standing": "ready", "tasks": 1, "unfinished": 1}
    ]
    assert "Drafted, ready" in command("list").out
    [task] = command("show", 1, "--json").json["tasks"]
    assert (task["tenant"], task["ring"]) == ("tenant-b", 1)
    assert command("show", 2).code == 2


def test_one_is_approved_by_someone_else_started_paused_and_resumed(world: World, command: Any) -> None:
    factories.member(world.group, "approver", Role.APPROVER)
    assert command("start", 1).code == 5
    assert command("approve", 1).code == 2
    assert command("approve", 1, "--as", world.viewer.username).code == 2
    assert command("approve", 1, "--as", world.owner.username).code == 5
    assert command("approve", 1, "--as", "approver", "--json").json["status"] == "approved"
    assert command("start", 1, "--json").json["status"] == "running"
    assert command("pause", 1, "--reason", "Customers call.", "--json").json["status"] == "paused"
    assert Plan.objects.get().pause_reason == "Customers call."
    assert command("pause", 1).code == 5
    assert command("resume", 1, "--json").json["status"] == "running"
