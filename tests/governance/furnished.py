"""A world in which every page of the console has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit import outbox
from audit.models import Circuit, OutboxMessage, Report, ReportFile
from audit.models.outbox import Destination, OutboxStatus
from config.access import SYSTEM
from governance import decisions, drift, plans, simulation, snapshots
from governance.models import (
    Conflict,
    Exemption,
    Finding,
    Inventory,
    Manifest,
    Notification,
    Plan,
    Plugin,
    Policy,
    Profile,
    Rollback,
    Run,
    Simulation,
    Snapshot,
    UpgradeOrder,
    WebhookSubscription,
)
from governance.models.snapshot import Trigger
from governance.simulation import Supposition
from tenants.models import TeamChat, Tenant
from tests import factories
from tests.factories import AT, World

DAY = timedelta(days=1)
ENFORCE = {"mode": "enforce", "prefer": "newest", "sla": {"medium": 14, "high": 3}}


@dataclass(frozen=True, slots=True)
class Furnished:
    """What there is one of, each to be shown on a page of its own."""

    world: World
    crm: Plugin
    core: Policy
    snapshot: Snapshot
    plan: Plan
    run: Run
    conflict: Conflict
    exemption: Exemption
    simulation: Simulation
    rollback: Rollback
    report: Report
    notifications: list[Notification]
    findings: list[Finding]
    orders: list[UpgradeOrder]
    webhook: WebhookSubscription
    chat: TeamChat
    message: OutboxMessage
    circuit: Circuit


def furnish(world: World) -> Furnished:
    """Both tenants are behind, a hold keeps tenant-b there, and each page has had something happen to it."""
    group = world.group
    host = factories.plugin(group, "host-app", ["10.0.0", "11.0.0"], host=True)
    crm = factories.plugin(group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(group, "erp", ["1.0.0", "1.1.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0", "host-app": "10.0.0", "erp": "1.0.0"})
        _manifest(world, tenant)
    Profile.objects.create(group=group, name="align", mode="enforce", document={"name": "align", **ENFORCE})
    rules: list[dict[str, Any]] = [
        {"name": "crm", "plugins": [crm.name], "at_least": "2.4.0", "severity": "high"},
        {"name": "erp", "plugins": ["erp"], "same": True, "at": "1.0.0"},
        {"name": "host", "plugins": [host.name], "at_least": "11.0.0"},
    ]
    core = factories.policy(group, "core", rules, profile=ENFORCE)
    factories.policy(group, "stay", [], kind="hold", tenants={"keys": ["tenant-b"]}, plugins=["crm"])
    sealed = snapshots.seal(group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    exemption = factories.exemption(
        world.tenant_b,
        core,
        until=AT + timedelta(days=9),
        rule_key="host",
        requested_by_name="tenant-b-admin",
    )
    drift.detect(group, at=AT)
    decisions.evaluate(group, at=AT, actor=SYSTEM)
    run = Run.objects.create(
        group=group,
        number=1,
        trigger=Trigger.HAND,
        status=Run.Status.NEEDS_DECISION,
        stage=Run.Stage.DONE,
        figures={"seal": {"snapshot": 1, "seconds": 0.1}},
        started_by_name="owner",
        started_at=AT,
    )
    plan = plans.draft(group, run=run, at=AT, actor=SYSTEM)
    assert plan is not None
    conflict = Conflict.objects.get()
    Conflict.objects.filter(pk=conflict.pk).update(run=run)
    return Furnished(
        world=world,
        crm=crm,
        core=core,
        snapshot=sealed,
        plan=plan,
        run=run,
        conflict=conflict,
        exemption=exemption,
        simulation=_simulation(world, rules),
        rollback=_rollback(world),
        report=_report(world),
        notifications=[
            _notification(world, user) for user in (world.owner, world.viewer, world.tenant_admin)
        ],
        findings=list(Finding.objects.order_by("pk")),
        orders=[_order(tenant) for tenant in (world.tenant_a, world.tenant_b)],
        webhook=WebhookSubscription.objects.create(
            group=group, name="chat", url="https://chat.example.org/", secret="whsec_c2VjcmV0"
        ),
        chat=TeamChat.objects.create(group=group, name="team", address="slack://T1JJ3T3L2/A1BRTD4JD/TIiajk"),
        message=_given_up(world),
        circuit=Circuit.objects.create(
            group_id=group.pk, destination="email", failures=5, breaks=1, since=AT, rests_until=AT + DAY
        ),
    )


def _given_up(world: World) -> OutboxMessage:
    outbox.post(Destination.NOTIFY, {}, group_id=world.group.pk, idempotency_key="given-up", at=AT)
    OutboxMessage.objects.filter(idempotency_key="given-up").update(status=OutboxStatus.DEAD)
    return OutboxMessage.objects.get(idempotency_key="given-up")


def _order(tenant: Tenant) -> UpgradeOrder:
    steps = [{"plugin": "crm", "from": "2.3.0", "to": "2.4.0"}]
    return UpgradeOrder.objects.create(
        group=tenant.group,
        tenant=tenant,
        idempotency_key=tenant.key,
        task_id="-",
        steps=steps,
        received_at=AT,
    )


def _manifest(world: World, tenant: Any) -> None:
    content = Inventory.objects.create(
        digest=f"{tenant.pk:064d}", host_version="10.0.0", plugins={"crm": "2.3.0", "erp": "1.0.0"}, size=2
    )
    Manifest.objects.create(
        group=world.group,
        tenant=tenant,
        inventory=content,
        observed_at=AT,
        received_at=AT,
        source="endpoint",
    )


def _simulation(world: World, rules: list[dict[str, Any]]) -> Simulation:
    document = {"name": "core", "kind": "policy", "profile": "align", "tenants": "*", "rules": rules[:1]}
    return simulation.simulate(world.group, policies=[document], at=AT, actor=SYSTEM, title="Milder")


def _rollback(world: World) -> Rollback:
    asked = simulation.request(world.group, Supposition(retired=["core"]), at=AT, actor=SYSTEM)
    return Rollback.objects.create(
        group=world.group,
        number=1,
        snapshot_number=1,
        way=Rollback.Way.EXEMPT,
        until=AT + timedelta(days=9),
        reason="Customers call.",
        tenants=["tenant-b"],
        simulation=simulation.run(asked.pk, at=AT),
        created_by_name="owner",
        created_at=AT,
    )


def _report(world: World) -> Report:
    report = Report.objects.create(
        group_id=world.group.pk, number=1, title="Compliance", requested_by="owner", created_at=AT
    )
    ReportFile.objects.create(
        report=report,
        format="json",
        name="report.json",
        content_type="application/json",
        content=b"{}",
        size=2,
        sha256="0" * 64,
    )
    return report


def _notification(world: World, user: Any) -> Notification:
    return Notification.objects.create(
        group=world.group,
        user=user,
        kind="reminder",
        key=f"to-{user}",
        subject="Due soon",
        body="",
        created_at=AT,
    )
