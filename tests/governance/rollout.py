"""A group with one upgrade task on its way, for the tests of what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.access import SYSTEM
from governance import decisions, drift, manifests, plans
from governance.manifests import ManifestDocument
from governance.models import Plan, UpgradeTask
from tests import factories
from tests.factories import AT, World

PROFILE = {"mode": "enforce", "prefer": "newest", "sla": {"medium": 14}}


def report(world: World, tenant: str, version: str, at: datetime) -> None:
    """Let the tenant's manifest say which version of crm it runs."""
    document = ManifestDocument(tenant, "10.0.0", {"crm": version}, observed_at=at)
    result = manifests.ingest(world.group, [document], actor=SYSTEM, at=at)
    assert not result.refused, result.refused


def world_behind(world: World) -> None:
    """tenant-b is a version behind a policy that enforces; nobody has noticed yet."""
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    report(world, "tenant-a", "2.4.0", AT - timedelta(days=1))
    report(world, "tenant-b", "2.3.0", AT - timedelta(days=1))
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "core", [rule], profile=PROFILE)


def plan(world: World) -> Plan:
    """The plan that brings it up."""
    world_behind(world)
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    drafted = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert drafted is not None
    return drafted


def running_task(world: World) -> UpgradeTask:
    """The task of the started plan."""
    drafted = plan(world)
    plans.start(drafted, actor=SYSTEM, at=AT)
    return drafted.tasks.get()
