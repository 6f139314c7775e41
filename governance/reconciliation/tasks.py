"""Tasks against their plans, their messages and what the orchestrator says; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from audit.models.outbox import OutboxStatus
from governance.models import Finding, Plan, UpgradeTask
from governance.models.plan import NOT_STARTED, UNFINISHED, WAITING
from governance.reconciliation.kinds import Disagreement

Status = UpgradeTask.Status
_ENDED = (Plan.Status.COMPLETED, Plan.Status.CANCELLED, Plan.Status.REFUSED, Plan.Status.ROLLED_BACK)
# How far a task in the orchestrator's hands is, and how far it is by an order's word.
_TASK_REACH = {Status.DISPATCHED: 0, Status.ACCEPTED: 1, Status.RUNNING: 2}
_ORDER_REACH = {"accepted": 1, "running": 2, "succeeded": 3, "failed": 3, "cancelled": 3}
OPEN = frozenset(_TASK_REACH)
PROGRESS = (Finding.Status.PLANNED, Finding.Status.IN_PROGRESS, Finding.Status.VERIFYING)


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as it stands. `message` is where its hand-over stands, empty where there is none."""

    id: str
    name: str
    status: str
    plan_status: str
    order_id: str
    message: str = ""
    answered: str = ""  # the order's id in the answer to the message
    plugins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Word:
    """What the orchestrator says of a task's order: a status of the contract, or nothing if it knows none."""

    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan, and how many of its tasks aren't finished."""

    id: str
    name: str
    status: str
    unfinished: int


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """An open finding that something is said to be done about, and the unfinished task of its tenant."""

    id: str
    name: str
    status: str
    plugin: str
    task: TaskFacts | None


def of_plans(plans: Iterable[PlanFacts]) -> Iterator[Disagreement]:
    """Plans that run on with nothing to do."""
    for plan in plans:
        if plan.status == Plan.Status.RUNNING and not plan.unfinished:
            says = {"plan": plan.status, "tasks": "all finished"}
            yield Disagreement("plan_unfinished", plan.id, plan.name, says)


def of_tasks(tasks: Iterable[TaskFacts]) -> Iterator[Disagreement]:
    """Tasks that their plan or their message knows otherwise."""
    for task in tasks:
        kind = _of_task(task)
        if kind:
            says = {"task": task.status, "plan": task.plan_status, "message": task.message or "none"}
            yield Disagreement(kind, task.id, task.name, says)


def of_orders(tasks: Iterable[TaskFacts], words: Mapping[str, Word]) -> Iterator[Disagreement]:
    """Tasks that the orchestrator knows otherwise, of those that it was asked about."""
    for task in tasks:
        if task.status not in OPEN or task.id not in words:
            continue
        word = words[task.id]
        told = {"task": task.status, "orchestrator": word.status or "knows no such order"}
        reach, here = _ORDER_REACH.get(word.status, -1), _TASK_REACH[Status(task.status)]
        if reach < 0:
            yield Disagreement("order_unknown", task.id, task.name, told)
        elif reach > here:
            yield Disagreement("order", task.id, task.name, told)
        elif reach < here:
            yield Disagreement("order_behind", task.id, task.name, told)


def of_findings(findings: Iterable[FindingFacts], follows: Mapping[str, str]) -> Iterator[Disagreement]:
    """Findings that say other than their tasks; `follows` is what a task's status makes of its findings."""
    for finding in findings:
        expected = expected_status(finding, follows)
        if expected != finding.status:
            told = finding.task.status if finding.task else "none"
            says = {"finding": finding.status, "task": told}
            yield Disagreement("finding_status", finding.id, finding.name, says)


def expected_status(finding: FindingFacts, follows: Mapping[str, str]) -> str:
    """What a finding's status should be, where it says that something is being done."""
    if finding.status not in PROGRESS:
        return finding.status
    task = finding.task
    if task is None or finding.plugin not in task.plugins:
        return Finding.Status.NEW
    return follows.get(task.status, finding.status)


def _of_task(task: TaskFacts) -> str:
    if task.status in WAITING and task.plan_status in _ENDED:
        return "task_of_ended_plan"
    if task.message == OutboxStatus.PENDING and task.status not in UNFINISHED:
        return "handover_stale"
    if task.status != Status.DISPATCHED or task.plan_status in NOT_STARTED:
        return ""
    if not task.message and not task.order_id:
        return "handover_missing"
    if task.message == OutboxStatus.DELIVERED and task.answered and not task.order_id:
        return "answer_missed"
    return "given_up" if task.message == OutboxStatus.DEAD else ""
