"""What the comparisons go by, read from the database without a lock; `only` asks of these subjects alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet

from audit.actions import REPORTED_ACTIONS
from audit.ledger import Mark
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from governance.models import Exemption, Finding, Installation, Plan, Policy, Rule, Snapshot, UpgradeTask
from governance.models.plan import UNFINISHED
from governance.reconciliation import entries, reach, tasks
from governance.reconciliation.entries import Record
from governance.reconciliation.kinds import Disagreement
from governance.reconciliation.tasks import FindingFacts, PlanFacts, TaskFacts
from governance.violations import violations_query
from tenants.models import Group, Tenant

Only = Collection[str] | None
PAGE = 1000


def installations(group: Group, only: Only = None) -> list[Disagreement]:
    """Tenants that don't run what their newest manifest says."""
    given = {"group": group.pk, "tenants": [int(pk) for pk in only] if only is not None else None}
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED, given)
        rows = cursor.fetchall()
    return [
        Disagreement(
            "installation",
            str(tenant),
            key,
            {
                "manifest": f"{missing} that aren’t installed",
                "installations": f"{extra} that it doesn’t name",
            },
        )
        for tenant, key, missing, extra in rows
    ]


def snapshots(group: Group) -> Iterator[Disagreement]:
    """The number of the next snapshot, and the count of the newest."""
    last = Snapshot.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    open_number = Group.objects.values_list("open_snapshot", flat=True).get(pk=group.pk)
    if open_number <= last:
        says = {"group": f"{open_number} is next", "snapshots": f"{last} is the last"}
        yield Disagreement("snapshot_number", str(group.pk), group.name, says)
    newest = Snapshot.objects.filter(group=group, number=last).first()
    if newest is None or newest.number >= open_number:
        return
    installed = Installation.objects.filter(group=group).at(newest.number).count()
    if installed != newest.installations:
        says = {"snapshot": str(newest.installations), "installations": str(installed)}
        yield Disagreement("snapshot_count", str(newest.number), f"Snapshot {newest}", says)


def findings(group: Group, at: datetime, only: Only = None) -> list[Disagreement]:
    """Tenants whose open findings aren't what breaks the rules in force."""
    rules = list(Rule.objects.filter(group=group).in_force(at).values_list("pk", flat=True))
    chosen = [int(pk) for pk in only] if only is not None else None
    query = violations_query(rules, chosen, at, group_id=group.pk)
    with connection.cursor() as cursor:
        cursor.execute(_FOUND.format(found=query.text), {**query.parameters, "chosen": chosen})
        rows = cursor.fetchall()
    return [
        Disagreement(
            "finding",
            str(tenant),
            key,
            {"rules": f"{missing} without a finding", "findings": f"{extra} without a cause"},
        )
        for tenant, key, missing, extra in rows
    ]


def finding_facts(group: Group, only: Only = None) -> Iterator[FindingFacts]:
    """Open findings that something is said to be done about."""
    rows = Finding.objects.filter(group=group, status__in=tasks.PROGRESS).open()
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    rows = rows.select_related("tenant", "plugin", "policy").order_by("pk")
    unfinished = UpgradeTask.objects.filter(group=group).unfinished().select_related("plan", "tenant")
    if only is not None:
        unfinished = unfinished.filter(tenant__in=rows.order_by().values("tenant"))
    by_tenant = {task.tenant_id: _facts(task) for task in unfinished}
    for row in rows.iterator(chunk_size=PAGE):
        task = by_tenant.get(row.tenant_id)
        yield FindingFacts(str(row.pk), str(row), row.status, row.plugin.name, task)


def plan_facts(group: Group, only: Only = None) -> list[PlanFacts]:
    """Plans that run."""
    rows = Plan.objects.filter(group=group, status=Plan.Status.RUNNING)
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    counted = rows.annotate(left=Count("tasks", filter=Q(tasks__status__in=UNFINISHED)))
    return [PlanFacts(str(row.pk), str(row), row.status, row.left) for row in counted.order_by("number")]


def task_facts(group: Group, only: Only = None) -> Iterator[TaskFacts]:
    """Unfinished tasks, and those with a message that hasn't left yet."""
    outgoing = OutboxMessage.objects.filter(group_id=group.pk, destination=Destination.ORCHESTRATOR)
    pending = outgoing.filter(status=OutboxStatus.PENDING, lease_until=None).values("idempotency_key")
    rows = UpgradeTask.objects.filter(group=group).filter(
        Q(status__in=UNFINISHED) | Q(idempotency_key__in=pending)
    )
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    for page in _pages(rows.select_related("plan", "tenant").order_by("pk")):
        messages = {
            message.idempotency_key: message
            for message in outgoing.filter(idempotency_key__in=[task.idempotency_key for task in page])
        }
        for task in page:
            yield _facts(task, messages.get(task.idempotency_key))


def records(group: Group, kind: str, only: Only = None, since: reach.Since = reach.EVER) -> Iterator[Record]:
    """Records of a kind with the last entry about their state."""
    rows = reach.within(_STATEFUL[kind](group), group, kind, since)
    if only is not None:
        rows = _STATEFUL[kind](group).filter(pk__in=list(only))
    for page in _pages(rows.order_by("pk")):
        ids = [str(row.pk) for row in page]
        said = _last_entries(group.pk, kind, ids, entries.actions_of(kind))
        earlier = _last_entries(group.pk, kind, ids, entries.switches_of(kind))
        for row in page:
            entry, switch = said.get(str(row.pk)), earlier.get(str(row.pk))
            status = "sealed" if kind == "snapshot" else row.status
            action = entries.counts(_action(switch), _action(entry))
            word = entry.data.get("status") if entry else None
            yield Record(kind, str(row.pk), _name(row), status, action, word)


def unreported(
    group: Group, at: datetime, only: Only = None, since: reach.Since = reach.EVER
) -> Iterator[Disagreement]:
    """Entries that the audit service should have got, since the first that it was sent."""
    sent = OutboxMessage.objects.filter(group_id=group.pk, destination=Destination.AUDIT)
    first = sent.aggregate(first=Min("created_at"))["first"]
    if not settings.AUDIT_URL or first is None:
        return
    rows = Entry.objects.filter(group_id=group.pk, action__in=REPORTED_ACTIONS, at__gte=first)
    new = Q(at__gt=at - settings.KEEP, sequence__gt=since.reported)
    rows = rows.filter(new) if only is None else rows.filter(sequence__in=list(only))
    for page in _pages(rows.order_by("sequence")):
        keys = {f"audit-{entry.hash}": entry for entry in page}
        known = set(sent.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True))
        for key in keys.keys() - known:
            entry = keys[key]
            says = {"ledger": entry.action, "outbox": "no message"}
            yield Disagreement("entry_unreported", str(entry.sequence), f"Entry {entry.sequence}", says)


def _facts(task: UpgradeTask, message: OutboxMessage | None = None) -> TaskFacts:
    answer = message.response if message is not None and isinstance(message.response, dict) else {}
    return TaskFacts(
        id=str(task.pk),
        name=str(task),
        status=task.status,
        plan_status=task.plan.status,
        order_id=task.order_id,
        message=_stands(message),
        answered=str(answer.get("id", "")),
        plugins=frozenset(step["plugin"] for step in task.steps),
    )


def _stands(message: OutboxMessage | None) -> str:
    """Where a message stands; what somebody is sending right now is left to him."""
    if message is None:
        return ""
    sending = message.status == OutboxStatus.PENDING and message.lease_until is not None
    return "sending" if sending else message.status


def _pages(rows: Any) -> Iterator[Sequence[Any]]:
    """The rows a page at a time, by their keys: nothing stays open meanwhile."""
    ids = list(rows.values_list("pk", flat=True))
    for begin in range(0, len(ids), PAGE):
        yield list(rows.filter(pk__in=ids[begin : begin + PAGE]))


def _action(entry: Entry | None) -> str | None:
    return str(entry.action) if entry is not None else None


def _last_entries(group_id: int, kind: str, ids: Sequence[str], actions: Collection[str]) -> dict[str, Entry]:
    if not actions:
        return {}
    rows = Entry.objects.filter(group_id=group_id, subject_kind=kind, subject_id__in=ids, action__in=actions)
    return {row.subject_id: row for row in rows.order_by("subject_id", "-sequence").distinct("subject_id")}


def _name(row: Any) -> str:
    return f"{row._meta.verbose_name} {row}" if isinstance(row, Policy | Exemption | Snapshot) else str(row)


def _of(model: Any, *related: str) -> Any:
    def rows(group: Group) -> QuerySet[Any]:
        found: QuerySet[Any] = model.objects.filter(group=group).select_related(*related)
        return found

    return rows


_STATEFUL: dict[str, Any] = {
    "plan": _of(Plan, "group"),
    "upgradetask": _of(UpgradeTask, "plan", "tenant"),
    "policy": _of(Policy, "group"),
    "exemption": _of(Exemption, "tenant", "policy"),
    "snapshot": _of(Snapshot, "group"),
}
RECORDED = tuple(_STATEFUL)


def sizes(group: Group, since: reach.Since, end: Mark) -> dict[str, int]:
    """How many of each thing there are to compare."""
    return {
        "tenants": Tenant.objects.filter(group=group).count(),
        "installations": Installation.objects.filter(group=group).current().count(),
        "findings": Finding.objects.filter(group=group).open().count(),
        "tasks": reach.within(UpgradeTask.objects.filter(group=group), group, "upgradetask", since).count(),
        "messages": OutboxMessage.objects.filter(group_id=group.pk).undelivered().count(),
        "entries": end.sequence - since.mark.sequence,
    }


_INSTALLED = """
WITH newest AS (
    SELECT tenant.id AS tenant_id, said.inventory_id
    FROM tenants_tenant tenant
    CROSS JOIN LATERAL (
        SELECT inventory_id FROM governance_manifest manifest WHERE manifest.tenant_id = tenant.id
        ORDER BY observed_at DESC, inventory_id DESC LIMIT 1
    ) AS said
    WHERE tenant.group_id = %(group)s
        AND (%(tenants)s::bigint[] IS NULL OR tenant.id = ANY (%(tenants)s::bigint[]))
), stated AS (
    SELECT newest.tenant_id, plugin.id AS plugin_id, said.version
    FROM newest
    JOIN governance_inventory inventory ON inventory.digest = newest.inventory_id
    CROSS JOIN LATERAL jsonb_each_text(inventory.plugins) AS said (name, version)
    LEFT JOIN governance_plugin plugin ON plugin.group_id = %(group)s AND plugin.name = said.name
    UNION ALL
    SELECT newest.tenant_id, plugin.id, inventory.host_version
    FROM newest
    JOIN governance_inventory inventory ON inventory.digest = newest.inventory_id
    JOIN governance_plugin plugin ON plugin.group_id = %(group)s AND plugin.is_host
    WHERE inventory.host_version <> ''
), installed AS (
    SELECT i.tenant_id, i.plugin_id, release.version
    FROM governance_installation i
    JOIN newest ON newest.tenant_id = i.tenant_id
    LEFT JOIN governance_release release ON release.id = i.release_id
    WHERE i.until IS NULL
), compared AS (
    SELECT coalesce(s.tenant_id, i.tenant_id) AS tenant_id, i.tenant_id IS NULL AS is_missing
    FROM stated s FULL JOIN installed i
      ON i.tenant_id = s.tenant_id AND i.plugin_id = s.plugin_id AND i.version = s.version
    WHERE s.tenant_id IS NULL OR i.tenant_id IS NULL
)
SELECT compared.tenant_id, tenant.key, count(*) FILTER (WHERE is_missing),
    count(*) FILTER (WHERE NOT is_missing)
FROM compared JOIN tenants_tenant tenant ON tenant.id = compared.tenant_id
GROUP BY compared.tenant_id, tenant.key ORDER BY tenant.key
"""

_FOUND = """
WITH wanted AS ({found}), compared AS (
    SELECT coalesce(n.tenant_id, f.tenant_id) AS tenant_id, f.id IS NULL AS is_missing
    FROM wanted n FULL JOIN (
        SELECT * FROM governance_finding
        WHERE group_id = %(group)s AND closed_at IS NULL
          AND (%(chosen)s::bigint[] IS NULL OR tenant_id = ANY (%(chosen)s::bigint[]))
    ) f ON f.tenant_id = n.tenant_id AND f.plugin_id = n.plugin_id
       AND f.policy_id = n.policy_id AND f.rule_key = n.key
    WHERE f.id IS NULL OR n.tenant_id IS NULL
)
SELECT compared.tenant_id, tenant.key, count(*) FILTER (WHERE is_missing),
    count(*) FILTER (WHERE NOT is_missing)
FROM compared JOIN tenants_tenant tenant ON tenant.id = compared.tenant_id
GROUP BY compared.tenant_id, tenant.key ORDER BY tenant.key
"""
