"""What a drill must not have broken: pure, over the records that it left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from demo.drill import group as drilled
from demo.drill.records import Order, Records, Task
from governance.models.plan import UNFINISHED, UpgradeTask

ENOUGH = 0.99  # of the upgrades that can succeed
NAMED = 5  # exceptions that are named


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, and what was seen of it being broken; nothing if it was kept."""

    promise: str
    broken: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        left_out = len(self.broken) - NAMED
        more = [f"and {left_out} more"] if left_out > 0 else []
        return {"promise": self.promise, "kept": not self.broken, "seen": [*self.broken[:NAMED], *more]}


def judge(records: Records) -> list[Verdict]:
    """A verdict on each promise that the records can tell about."""
    return [
        Verdict("every task has come to an end", tuple(_unfinished(records))),
        Verdict("a tenant's last task says what the tenant runs", tuple(_wrong(records))),
        Verdict(f"{ENOUGH:.0%} of the upgrades that can succeed did", tuple(_missed(records))),
        Verdict("no upgrade was carried out twice", tuple(_twice(records.orders))),
        Verdict("each attempt was one order", tuple(_too_many(records))),
        Verdict("no tenant was handed over while it was in hand", tuple(_overlapping(records.orders))),
        Verdict("what is believed of the tenants is so", tuple(_misbelieved(records))),
        Verdict("no mail was sent twice", tuple(repeated(records.mails))),
    ]


def repeated(seen: Counter[str]) -> Iterator[str]:
    """What came more than once."""
    return (f"{count} times: {what[:120]}" for what, count in seen.items() if count > 1)


def upgraded(records: Records) -> int:
    """How many tenants are where they should be, by the orchestrator's own account."""
    return sum(map(drilled.is_current, records.running.values()))


def _unfinished(records: Records) -> Iterator[str]:
    return (f"{task.tenant}: {task.status}" for task in records.tasks if task.status in UNFINISHED)


def _wrong(records: Records) -> Iterator[str]:
    last: dict[str, Task] = {task.tenant: task for task in records.tasks}
    for tenant, task in last.items():
        done = tenant in records.running and drilled.is_current(records.running[tenant])
        if (task.status == UpgradeTask.Status.SUCCEEDED) != done:
            yield f"{tenant}: {task.status}, runs {records.running.get(tenant, 'nothing known')}"


def _missed(records: Records) -> Iterator[str]:
    behind = [tenant for tenant, plugins in records.running.items() if not drilled.is_current(plugins)]
    if len(behind) > (1 - ENOUGH) * len(records.running):
        yield from behind


def _twice(orders: Iterable[Order]) -> Iterator[str]:
    """By the steps' `from`, only the first order that does its work can; so more than one is a repetition."""
    carried_out = Counter[str]()
    for order in orders:
        carried_out[order.tenant] += order.executions
    return (f"{tenant}: {count} times" for tenant, count in carried_out.items() if count > 1)


def _too_many(records: Records) -> Iterator[str]:
    attempts = {task.id: task.attempts for task in records.tasks}
    for task, count in Counter(order.task for order in records.orders).items():
        if count > attempts.get(task, 0):
            yield f"task {task}: {count} orders in {attempts.get(task, 0)} attempts"


def _overlapping(orders: Iterable[Order]) -> Iterator[str]:
    of_tenant: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        of_tenant[order.tenant].append(order)
    for tenant, mine in of_tenant.items():
        for earlier, later in pairwise(mine):
            if not earlier.finished_at or later.accepted_at < earlier.finished_at:
                yield f"{tenant}: an order came while another one wasn't finished"


def _misbelieved(records: Records) -> Iterator[str]:
    for tenant, plugins in records.running.items():
        if records.believed.get(tenant) != plugins:
            yield f"{tenant}: {records.believed.get(tenant)}, runs {plugins}"
        if (tenant in records.drifting) == drilled.is_current(plugins):
            yield f"{tenant}: {'drift' if tenant in records.drifting else 'no drift'}, runs {plugins}"
