"""Tenants of which one is behind, and what is wanted of them, judged."""

from __future__ import annotations

from typing import Any

from config.access import SYSTEM
from governance import decisions, drift
from governance.models import Finding, Plugin, Release
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

ENFORCE = {"mode": "enforce", "prefer": "newest"}


def rule(name: str, plugin: str = "crm", **value: Any) -> dict[str, Any]:
    return {"name": name, "plugins": [plugin], **value}


def judge(world: World, **only: Any) -> decisions.EvaluationResult:
    drift.detect(world.group, at=AT)
    return decisions.evaluate(world.group, at=AT, actor=SYSTEM, **only)


def finding(tenant: Tenant, plugin: str = "crm") -> Finding:
    return Finding.objects.open().get(tenant=tenant, plugin__name=plugin)


def requires(plugin: Plugin, version: str, *entries: dict[str, Any]) -> None:
    Release.objects.filter(plugin=plugin, version=version).update(requires=list(entries))


def ahead_and_behind(world: World) -> Plugin:
    """tenant-a is ahead of tenant-b by a minor version."""
    plugin = factories.plugin(world.group, "crm", ["2.2.0", "2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return plugin


def align(world: World, **more: Any) -> None:
    factories.policy(world.group, "core-align", [rule("core-align", same=True)], profile=ENFORCE, **more)


def hold(world: World, name: str = "hold-tenant-b", plugin: str = "crm", **more: Any) -> None:
    tenants = more.pop("tenants", {"keys": ["tenant-b"]})
    factories.policy(world.group, name, [], kind="hold", plugins=[plugin], tenants=tenants, **more)
