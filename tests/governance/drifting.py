"""A group that drifts, for the tests of the pages about exemptions."""

from __future__ import annotations

from governance import drift
from tests import factories
from tests.factories import AT, World


def drift_apart(world: World) -> World:
    """Both tenants run an old crm, which the policy denies."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    other = {"name": "other", "plugins": ["crm"], "at_most": "9.0.0"}
    factories.policy(world.group, "core", [rule, other])
    drift.detect(world.group, at=AT)
    return world
