"""A group with a policy in force, for the tests of the pages about policies."""

from __future__ import annotations

from typing import Any

from config.access import SYSTEM
from governance import policies, profiles
from tests import factories
from tests.factories import AT, World

TEXT = """\
name: core
title: The core in line
profile: align
tenants: "*"
rules:
  - name: crm
    plugins: [crm]
    at_least: {version}
"""


def govern(world: World) -> World:
    """Both tenants run an old crm, and the policy `core` in force at version 1 wants a newer one."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0", "2.5.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    align = {"name": "align", "title": "In line", "mode": "enforce", "deny": ["vulnerable"], "weight": 200}
    profiles.save(world.group, align, actor=SYSTEM, at=AT)
    policies.apply(world.group, document("2.4.0"), actor=SYSTEM, at=AT, comment="first")
    return world


def document(version: str, **changes: Any) -> dict[str, Any]:
    """What TEXT says, with changes."""
    rule = {"name": "crm", "plugins": ["crm"], "at_least": version}
    return {
        "name": "core",
        "title": "The core in line",
        "kind": "policy",
        "profile": "align",
        "tenants": "*",
        "rules": [rule],
        **changes,
    }
