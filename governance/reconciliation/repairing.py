"""Each repair: one transaction that looks again, mends what still disagrees, and writes that down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import ledger, outbox
from audit.actions import Action
from audit.ledger import Record
from audit.models import Entry, OutboxMessage
from audit.models.outbox import OutboxStatus
from config.access import Actor
from config.lifecycle import advance
from governance import admission, catalogue, drift, installations, locks, manifests, reversals, upgrades
from governance.models import Finding, Manifest, Plan, Snapshot, UpgradeTask
from governance.orchestrator import OrderStatus
from governance.reconciliation import entries, gathering, tasks
from governance.reconciliation.kinds import Disagreement
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Hand:
    """Who repairs, when, and what the orchestrator said before."""

    group: Group
    actor: Actor
    at: datetime
    words: Mapping[str, OrderStatus]


def repair(one: Disagreement, hand: Hand) -> bool:
    """Mend it, unless somebody else has meanwhile; whether it was still there."""
    with transaction.atomic():
        if one.kind == "installation":
            locks.ingesting(hand.group.pk)
            Tenant.objects.select_for_update(no_key=True).get(pk=one.key)
        elif one.kind == "snapshot_number":
            locks.sealing(hand.group.pk)
            Group.objects.select_for_update(no_key=True).get(pk=hand.group.pk)
        still = confirmed(one, hand)
        if still is None:
            return False
        _MENDS[one.kind](still, hand)
        _record(still, hand)
    return True


@transaction.atomic
def confirmed(one: Disagreement, hand: Hand) -> Disagreement | None:
    """The same disagreement as it stands while nobody else moves anything; None if it is gone."""
    ledger.hold(hand.group.pk)
    found = _AGAIN[one.kind](one, hand)
    return next((other for other in found if (other.kind, other.key) == (one.kind, one.key)), None)


def _record(one: Disagreement, hand: Hand) -> None:
    kind, _, subject_id = one.key.rpartition(" ")
    data: dict[str, Any] = {"kind": one.kind, "says": dict(one.says)}
    if one.kind == "entry_missing":
        data["status"] = one.says[kind]
    record = Record(
        Action.DISAGREEMENT_REPAIRED,
        subject_kind=kind or "disagreement",
        subject_id=subject_id,
        subject_label=one.subject,
        data=data,
    )
    ledger.record_many([record], group_id=hand.group.pk, actor=hand.actor, at=hand.at)


def _take_again(one: Disagreement, hand: Hand) -> None:
    """Let the tenant run what its newest manifest says."""
    newest = Manifest.objects.filter(tenant=int(one.key)).select_related("inventory")
    manifest = newest.order_by("-observed_at", "-inventory_id")[0]
    inventory = manifest.inventory
    document = manifests.ManifestDocument(
        one.subject,
        inventory.host_version,
        inventory.plugins,
        observed_at=manifest.observed_at,
        source=manifest.source,
        complete=manifest.complete,
    )
    judged = admission.admit(hand.group, [document], at=hand.at)
    (item,) = judged.admitted
    unknown = {pair for pair in item.wanted if pair not in judged.known}
    found = judged.known | (catalogue.resolve_releases(hand.group.pk, unknown) if unknown else {})
    wanted = {item.digest: [found[pair] for pair in item.wanted]}
    installations.replace(hand.group.pk, wanted, {int(one.key): item.digest})
    drift.detect(hand.group, at=hand.at, actor=hand.actor, tenant_ids=[int(one.key)])


def _number_anew(_one: Disagreement, hand: Hand) -> None:
    last = Snapshot.objects.filter(group=hand.group).aggregate(last=Max("number"))["last"]
    Group.objects.filter(pk=hand.group.pk).update(open_snapshot=last + 1)


def _detect(one: Disagreement, hand: Hand) -> None:
    drift.detect(hand.group, at=hand.at, actor=hand.actor, tenant_ids=[int(one.key)])


def _follow_task(one: Disagreement, hand: Hand) -> None:
    (facts,) = gathering.finding_facts(hand.group, [one.key])
    expected = tasks.expected_status(facts, upgrades.FINDING_STATUS)
    Finding.objects.filter(pk=one.key).update(status=expected)


def _complete(one: Disagreement, hand: Hand) -> None:
    plan = Plan.objects.get(pk=one.key)
    advance(plan, to=Plan.Status.COMPLETED, only_from=(Plan.Status.RUNNING,), finished_at=hand.at)
    ledger.record(Action.PLAN_COMPLETED, subject=plan, actor=hand.actor, at=hand.at)
    reversals.settle(plan, at=hand.at)


def _cancel(one: Disagreement, hand: Hand) -> None:
    told = "Its plan has ended; it was still waiting."
    upgrades.move(_task(one), UpgradeTask.Status.CANCELLED, **_by(hand), detail=told, wait_reason="")


def _post_again(one: Disagreement, hand: Hand) -> None:
    upgrades.post([_task(one)], hand.group, hand.at)


def _take_answer(one: Disagreement, hand: Hand) -> None:
    task = _task(one)
    (message,) = OutboxMessage.objects.filter(idempotency_key=task.idempotency_key)
    order_id = str((message.response or {}).get("id", ""))
    upgrades.move(task, UpgradeTask.Status.ACCEPTED, **_by(hand), order_id=order_id)


def _give_up(one: Disagreement, hand: Hand) -> None:
    task = _task(one)
    (message,) = OutboxMessage.objects.filter(idempotency_key=task.idempotency_key)
    upgrades.move(task, UpgradeTask.Status.GIVEN_UP, **_by(hand), detail=message.last_error)


def _stop_message(one: Disagreement, _hand: Hand) -> None:
    key = UpgradeTask.objects.values_list("idempotency_key", flat=True).get(pk=one.key)
    for message in OutboxMessage.objects.filter(idempotency_key=key, status=OutboxStatus.PENDING):
        advance(message, to=OutboxStatus.DEAD, last_error="Its task had ended before it was sent.")


def _write_back(one: Disagreement, hand: Hand) -> None:
    word = hand.words[one.key]
    upgrades.write_back(word, actor=hand.actor, at=hand.at, group_id=hand.group.pk)


def _explain(_one: Disagreement, _hand: Hand) -> None:
    """What is written down about the repair is the entry that was missing."""


def _report(one: Disagreement, hand: Hand) -> None:
    entry = Entry.objects.get(group_id=hand.group.pk, sequence=one.key)
    outbox.post_audit(ledger.as_document(entry), group_id=hand.group.pk, at=hand.at)


def _task(one: Disagreement) -> UpgradeTask:
    return UpgradeTask.objects.select_related("plan__group", "tenant").get(pk=one.key)


def _by(hand: Hand) -> dict[str, Any]:
    return {"actor": hand.actor, "at": hand.at}


def _tasks_again(one: Disagreement, hand: Hand) -> Any:
    return tasks.of_tasks(gathering.task_facts(hand.group, [one.key]))


def _orders_again(one: Disagreement, hand: Hand) -> Any:
    words = {key: tasks.Word(word.status, word.detail) for key, word in hand.words.items()}
    return tasks.of_orders(gathering.task_facts(hand.group, [one.key]), words)


def _entries_again(one: Disagreement, hand: Hand) -> Any:
    kind, _, subject_id = one.key.rpartition(" ")
    return entries.unexplained(gathering.records(hand.group, kind, [subject_id]))


_AGAIN: dict[str, Callable[[Disagreement, Hand], Any]] = {
    "installation": lambda one, hand: gathering.installations(hand.group, [one.key]),
    "snapshot_number": lambda _one, hand: gathering.snapshots(hand.group),
    "finding": lambda one, hand: gathering.findings(hand.group, hand.at, [one.key]),
    "finding_status": lambda one, hand: tasks.of_findings(
        gathering.finding_facts(hand.group, [one.key]), upgrades.FINDING_STATUS
    ),
    "plan_unfinished": lambda one, hand: tasks.of_plans(gathering.plan_facts(hand.group, [one.key])),
    "task_of_ended_plan": _tasks_again,
    "handover_missing": _tasks_again,
    "answer_missed": _tasks_again,
    "given_up": _tasks_again,
    "handover_stale": _tasks_again,
    "order": _orders_again,
    "entry_missing": _entries_again,
    "entry_unreported": lambda one, hand: gathering.unreported(hand.group, hand.at, [one.key]),
}
_MENDS: dict[str, Callable[[Disagreement, Hand], None]] = {
    "installation": _take_again,
    "snapshot_number": _number_anew,
    "finding": _detect,
    "finding_status": _follow_task,
    "plan_unfinished": _complete,
    "task_of_ended_plan": _cancel,
    "handover_missing": _post_again,
    "answer_missed": _take_answer,
    "given_up": _give_up,
    "handover_stale": _stop_message,
    "order": _write_back,
    "entry_missing": _explain,
    "entry_unreported": _report,
}
