"""What was decided, told in the log and written to findings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.access import SYSTEM
from governance import decisions, drift
from governance.models import Finding
from tenants.models import Role
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
Committed = Callable[..., AbstractContextManager[list[Any]]]


@pytest.fixture
def _drifting(world: World) -> None:
    """Both tenants are behind, and only one of them has an admin."""
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "1.0.0"})
    rule = {"name": "floor", "plugins": ["crm"], "at_least": "2.0.0"}
    factories.policy(world.group, "core", [rule], profile={"mode": "enforce"})
    drift.detect(world.group, at=AT)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def evaluate(world: World, committed: Committed) -> None:
    with committed(execute=True):
        decisions.evaluate(world.group, at=AT, actor=SYSTEM)


@pytest.mark.usefixtures("_drifting")
def test_each_decision_is_told_for_each_tenant_with_those_responsible(
    world: World, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Committed
) -> None:
    with caplog.at_level(logging.INFO, logger="plumbline.decision"):
        evaluate(world, django_capture_on_commit_callbacks)
    first, second = lines(caplog)
    told = ("tenant", "owner", "plugin", "policy", "target", "decision", "reason")
    alike = ("crm", "core/floor", "2.0.0", "new", "core wants crm 2.0.0 or newer")
    assert [first[name] for name in told] == ["tenant-a", str(world.tenant_admin), *alike]
    assert [second[name] for name in told] == ["tenant-b", "", *alike]


@pytest.mark.usefixtures("_drifting")
def test_what_was_decided_before_is_not_told_again(
    world: World, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Committed
) -> None:
    evaluate(world, django_capture_on_commit_callbacks)
    with caplog.at_level(logging.INFO, logger="plumbline.decision"):
        evaluate(world, django_capture_on_commit_callbacks)
    assert lines(caplog) == []


@pytest.mark.usefixtures("_drifting")
def test_what_nobody_listens_to_is_written_all_the_same(
    world: World, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Committed
) -> None:
    with caplog.at_level(logging.WARNING, logger="plumbline.decision"):
        evaluate(world, django_capture_on_commit_callbacks)
    assert lines(caplog) == []
    assert set(Finding.objects.values_list("target__version", flat=True)) == {"2.0.0"}


@pytest.mark.usefixtures("_drifting")
def test_several_people_responsible_are_all_named(
    world: World, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Committed
) -> None:
    second = factories.member(world.group, "a-second-admin", Role.TENANT_ADMIN, of=world.tenant_a)
    with caplog.at_level(logging.INFO, logger="plumbline.decision"):
        evaluate(world, django_capture_on_commit_callbacks)
    assert lines(caplog)[0]["owner"] == f"{second}, {world.tenant_admin}"
