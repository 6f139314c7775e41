"""A group in which rules can't hold together, made by the doors that people use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.access import SYSTEM
from governance import policies, profiles
from governance.models import Conflict
from tests import factories
from tests.factories import AT, World

PROFILE = {"name": "align", "title": "In line", "mode": "enforce", "weight": 200}
FREEZE = {
    "name": "freeze",
    "kind": "hold",
    "plugins": ["crm"],
    "until": "in 30 days",
    "reason": "Books close.",
}


def policy(world: World, name: str, value: dict[str, Any], *, at: datetime = AT, **fields: Any) -> None:
    """Put a policy of one rule about crm in force."""
    rules = [{"name": "crm", "plugins": ["crm"], **value}]
    document = {"name": name, "kind": "policy", "profile": "align", "tenants": "*", "rules": rules, **fields}
    policies.apply(world.group, document, actor=SYSTEM, at=at)


def hold(world: World, tenants: Any, **fields: Any) -> None:
    """Put a hold on crm in force."""
    policies.apply(world.group, {**FREEZE, "tenants": tenants, **fields}, actor=SYSTEM, at=AT)


def behind(world: World) -> World:
    """tenant-b is a version behind tenant-a, and nothing is wanted yet."""
    factories.plugin(world.group, "crm", ["2.2.0", "2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    profiles.save(world.group, PROFILE, actor=SYSTEM, at=AT)
    return world


def dispute(world: World, *, held: Any = None, **value: Any) -> Conflict:
    """`core` wants crm raised, `freeze` keeps it in the tenants held, by default tenant-b: one conflict."""
    behind(world)
    policy(world, "core", value or {"same": True, "at": "2.4.0"})
    hold(world, {"keys": ["tenant-b"]} if held is None else held)
    return Conflict.objects.waiting().get()
