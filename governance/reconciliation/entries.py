"""States against the ledger: what the last entry about a record says that it should be; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from audit.actions import Action as A
from governance.models import Exemption, Plan, Policy, UpgradeTask
from governance.models.plan import WAITING
from governance.reconciliation.kinds import Disagreement

# By kind of record, which entries bring it to a state. `None` stands for no entry at all.
_PLANS: Mapping[str, frozenset[str | None]] = {
    Plan.Status.DRAFTED: frozenset({A.PLAN_DRAFTED}),
    Plan.Status.SIMULATED: frozenset({A.PLAN_SIMULATED}),
    Plan.Status.APPROVED: frozenset({A.PLAN_APPROVED}),
    Plan.Status.RUNNING: frozenset({A.PLAN_STARTED, A.PLAN_RESUMED}),
    Plan.Status.PAUSED: frozenset({A.PLAN_PAUSED}),
    Plan.Status.COMPLETED: frozenset({A.PLAN_COMPLETED}),
    Plan.Status.CANCELLED: frozenset({A.PLAN_CANCELLED}),
    Plan.Status.REFUSED: frozenset({A.PLAN_REFUSED}),
    Plan.Status.ROLLED_BACK: frozenset({A.PLAN_ROLLED_BACK}),
}
_POLICIES: Mapping[str, frozenset[str | None]] = {
    Policy.Status.DRAFT: frozenset({None}),
    Policy.Status.ACTIVE: frozenset({A.POLICY_APPLIED, A.POLICY_RESUMED}),
    Policy.Status.PAUSED: frozenset({A.POLICY_PAUSED}),
    Policy.Status.RETIRED: frozenset({A.POLICY_RETIRED}),
}
_EXEMPTIONS: Mapping[str, frozenset[str | None]] = {
    Exemption.Status.REQUESTED: frozenset({A.EXEMPTION_REQUESTED}),
    Exemption.Status.APPROVED: frozenset({A.EXEMPTION_APPROVED}),
    Exemption.Status.REJECTED: frozenset({A.EXEMPTION_REJECTED}),
    Exemption.Status.REVOKED: frozenset({A.EXEMPTION_REVOKED}),
    Exemption.Status.EXPIRED: frozenset({A.EXEMPTION_EXPIRED}),
}
_SNAPSHOTS: Mapping[str, frozenset[str | None]] = {"sealed": frozenset({A.SNAPSHOT_SEALED})}
EXPLAINED: Mapping[str, Mapping[str, frozenset[str | None]]] = {
    "plan": _PLANS,
    "policy": _POLICIES,
    "exemption": _EXEMPTIONS,
    "snapshot": _SNAPSHOTS,
}


@dataclass(frozen=True, slots=True)
class Record:
    """A record and the last entry about its state: the action, and the state that the entry itself names."""

    kind: str
    id: str
    name: str
    status: str
    action: str | None = None
    said: str | None = None


def unexplained(records: Iterable[Record]) -> Iterator[Disagreement]:
    """Those that are in a state to which their last entry doesn't lead."""
    for record in records:
        if not _explains(record):
            says = {record.kind: record.status, "ledger": record.said or record.action or "nothing"}
            yield Disagreement("entry_missing", f"{record.kind} {record.id}", record.name, says)


def actions_of(kind: str) -> frozenset[str]:
    """The actions that bring records of the kind to a state."""
    if kind == "upgradetask":
        return frozenset({A.TASK_CHANGED, A.DISAGREEMENT_REPAIRED})
    named = frozenset(action for actions in EXPLAINED[kind].values() for action in actions if action)
    return named | {A.DISAGREEMENT_REPAIRED}


def switches_of(kind: str) -> frozenset[str]:
    """The actions that a version put in force doesn't undo."""
    return frozenset({A.POLICY_PAUSED, A.POLICY_RESUMED, A.POLICY_RETIRED} if kind == "policy" else ())


def counts(earlier: str | None, last: str | None) -> str | None:
    """Which entry says where a record stands: a version put in force leaves a paused policy paused."""
    return earlier if last == A.POLICY_APPLIED and earlier == A.POLICY_PAUSED else last


def _explains(record: Record) -> bool:
    if record.action == A.DISAGREEMENT_REPAIRED:
        return record.said == record.status
    if record.kind == "upgradetask":
        return _explains_task(record.status, record.said or UpgradeTask.Status.QUEUED)
    return record.action in EXPLAINED[record.kind].get(record.status, frozenset())


def _explains_task(status: str, said: str) -> bool:
    """What waits is dropped with its plan, whose entry says so."""
    return status == said or (status == UpgradeTask.Status.CANCELLED and said in WAITING)
