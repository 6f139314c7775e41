"""Drift to tell people of, and what they were told."""

from datetime import timedelta
from typing import Any

from audit.models import OutboxMessage
from governance import notifications
from governance.models import (
    Finding,
    Plugin,
    Policy,
    PolicyVersion,
    Rule,
    Run,
    Selection,
)
from tenants.models import Tenant, User
from tests import factories
from tests.factories import AT, World

DUE = AT + timedelta(days=7)


def policy(world: World, name: str, mode: str, **notify: Any) -> Rule:
    """A policy in force with one rule."""
    made = Policy.objects.create(group=world.group, name=name, status=Policy.Status.ACTIVE)
    made.current = PolicyVersion.objects.create(
        policy=made, number=1, document={}, profile={"mode": mode, "notify": notify}, created_at=AT
    )
    made.save()
    selection, _ = Selection.objects.get_or_create(group=world.group, digest="all", document={})
    return Rule.objects.create(
        group=world.group,
        policy=made,
        version=made.current,
        key="core",
        kind="range",
        mode=mode,
        selection=selection,
    )


def find(tenant: Tenant, plugin: Plugin, rule: Rule, **fields: Any) -> Finding:
    versions = {"release": factories.release(plugin, "2.3.0"), "target": factories.release(plugin, "2.4.0")}
    known = {"opened_at": AT, "opened_snapshot": 1, "due_at": DUE, **versions, **fields}
    return Finding.objects.create(
        group=rule.group,
        tenant=tenant,
        plugin=plugin,
        policy=rule.policy,
        rule=rule,
        rule_key=rule.key,
        **known,
    )


def run(world: World, number: int = 1) -> Run:
    return Run.objects.create(
        group=world.group,
        number=number,
        trigger="hand",
        status="completed",
        started_by_name="x",
        started_at=AT,
    )


def sent(run: Run) -> dict[str, dict[str, Any]]:
    """The recipients of the run's digests by name."""
    rows = OutboxMessage.objects.filter(idempotency_key__startswith=f"digest-run-{run.pk}-")
    found = [recipient for row in rows for recipient in row.payload["recipients"]]
    return {recipient["user"]: recipient for recipient in found}


def deliver(run: Run) -> None:
    """Hand the run's digests to Plumbline's own end of the contract."""
    for row in OutboxMessage.objects.filter(idempotency_key__startswith=f"digest-run-{run.pk}-"):
        notifications.receive(row.group_id, row.payload, idempotency_key=row.idempotency_key, at=AT)


def message(world: World, user: User, key: str = "one", **fields: Any) -> dict[str, Any]:
    recipient = {"user": user.username, "subject": "Hello", "text": "Read this.", "key": key, **fields}
    return notifications.receive(
        world.group.pk, {"kind": "reminder", "recipients": [recipient]}, idempotency_key=key, at=AT
    )


def behind(world: World, crm: Plugin) -> World:
    """Both tenants are behind under one policy that enforces."""
    rule = policy(world, "core-plugins", "enforce")
    find(world.tenant_a, crm, rule)
    find(world.tenant_b, crm, rule, status="planned")
    return world
