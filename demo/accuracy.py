"""Simulation accuracy as users mean it: what was foretold, and what came of it once it was carried out.

Each change is simulated, applied, and carried out by the sandbox orchestrator with no failure; then findings,
actions, conflicts and compliance are compared with what the simulation said.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from config import borrowed
from config.access import SYSTEM
from demo.changes import Changes
from governance import pipeline, simulation
from governance.models import Conflict, ConflictTenant, Finding, Installation, Run, Simulation, UpgradeTask
from governance.models.snapshot import Trigger
from governance.simulation import Supposition
from tenants.models import Group, Tenant

Tell = Callable[[str], None]
Identity = tuple[str, str, str, str]  # tenant, plugin, policy, rule
Action = tuple[str, str, str | None, str | None]  # tenant, plugin, from, to

_ROUNDS = 8  # runs until nothing is left to do; a plan may be limited to so many tasks
_PATIENCE = 900.0  # seconds a run may take
_SHOWN = 5  # disagreements of each kind that are told one by one


@dataclass
class Compared:
    """One change: its kind, whether it made a difference, and where foretelling and outcome disagree."""

    kind: str
    simulation: int
    changed: bool
    tasks: int
    seconds: float
    disagreements: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "simulation": self.simulation,
            "changed": self.changed,
            "tasks": self.tasks,
            "seconds": round(self.seconds, 2),
            "agrees": not self.disagreements,
            "disagreements": self.disagreements,
        }


def check(group: Group, *, changes: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Make so many random changes to the group, one after the other, and say how far each was foretold."""
    compared: list[Compared] = []
    with borrowed.sandbox():
        _never_fail()
        tell("bringing the group into line")
        settle(group)
        drawn = islice(Changes(group, seed), changes)
        for number, (kind, what) in enumerate(drawn, start=1):
            tell(f"change {number} of {changes}: {kind}")
            compared.append(_compare(group, kind, what))
    agreeing = sum(1 for one in compared if not one.disagreements)
    return {
        "group": group.slug,
        "seed": seed,
        "changes": len(compared),
        "making_a_difference": sum(1 for one in compared if one.changed),
        "tasks": sum(one.tasks for one in compared),
        "agreeing": agreeing,
        "accuracy": round(agreeing / len(compared), 4) if compared else 1.0,
        "each": [one.as_json() for one in compared],
    }


def settle(group: Group) -> None:
    """Run the loop until no upgrade task comes of it."""
    for _ in range(_ROUNDS):
        run, is_own = _run(group)
        run = pipeline.drive(run.pk, timeout=_PATIENCE)
        if run.status == Run.Status.FAILED:
            raise RuntimeError(f"{run} failed: {run.error}")
        if is_own and not run.figures.get(Run.Stage.PLAN, {}).get("tasks"):
            return


def _run(group: Group) -> tuple[Run, bool]:
    """A run of our own, or an earlier one that goes on since its conflicts are gone."""
    try:
        at = timezone.now()
        return pipeline.start_run(group, trigger=Trigger.COMMAND, actor=SYSTEM, at=at), True
    except pipeline.RunUnderWay as other:
        return other.run, False


def _compare(group: Group, kind: str, what: Supposition) -> Compared:
    begun = time.monotonic()
    kept = simulation.simulate_what(group, what, at=timezone.now(), actor=SYSTEM)
    taken = time.monotonic() - begun
    before, conflicts_before = outstanding(group), _conflicts(group)
    last = UpgradeTask.objects.filter(group=group).order_by("-created_at").first()
    simulation.apply(kept, actor=SYSTEM, at=timezone.now())
    foretold, outcome = _foretold(kept, before), kept.outcome
    wrong = dict(_differing("findings", foretold, outstanding(group)))
    wrong |= _unequal("compliance", outcome["after"], figures(group))
    wrong |= dict(_conflicts_otherwise(outcome, conflicts_before, _conflicts(group)))
    settle(group)
    done, tasks = _done(group, last)
    wrong |= dict(_differing("actions", _actions(kept), done))
    wrong |= _unequal("compliance once carried out", outcome["done"], figures(group))
    changed = bool(outcome["difference"]["changed"])
    return Compared(kind, kept.number, changed, tasks, taken, wrong)


def _conflicts_otherwise(
    outcome: dict[str, Any], before: set[tuple[str, str]], after: set[tuple[str, str]]
) -> Iterator[tuple[str, Any]]:
    """Where conflicts came or went otherwise than foretold, by fingerprint and tenant.

    One that is told as changed takes the place of another in its tenant, of which nothing is told.
    """
    new, changed = (_pairs(outcome["conflicts"], which) for which in ("new_tenants", "changed_tenants"))
    yield from _differing("new and changed conflicts", new | changed, after - before)
    solved, replacing = _pairs(outcome["solved"], "tenants"), {tenant for _, tenant in changed}
    replaced = {pair for pair in before - after - solved if pair[1] in replacing}
    yield from _differing("solved conflicts", solved, before - after - replaced)


def outstanding(group: Group) -> set[Identity]:
    """The open drift that no exemption covers."""
    rows = Finding.objects.filter(group=group).outstanding()
    return set(rows.values_list("tenant__key", "plugin__name", "policy__name", "rule_key"))


def figures(group: Group) -> dict[str, int]:
    """How far the group is in line by its own records."""
    rows = Finding.objects.filter(group=group)
    open_ = rows.outstanding().order_by()
    tenants = Tenant.objects.filter(group=group).active()
    drifting = open_.values("tenant").distinct().count()
    installed = Installation.objects.filter(group=group, tenant__in=tenants).current()
    return {
        "drift": open_.count(),
        "accepted": rows.open().filter(status=Finding.Status.ACCEPTED).count(),
        "tenants": tenants.count(),
        "compliant_tenants": tenants.count() - drifting,
        "installations": installed.count(),
        "drifting_installations": open_.values("tenant", "plugin").distinct().count(),
    }


def _foretold(kept: Simulation, before: set[Identity]) -> set[Identity]:
    text = simulation.export(kept, "findings").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    names = {
        kind: {(r["tenant"], r["plugin"], r["policy"], r["rule"]) for r in rows if r["kind"] == kind}
        for kind in ("opened", "closed")
    }
    return (before | names["opened"]) - names["closed"]


def _actions(kept: Simulation) -> set[Action]:
    return {
        (tenant, row["plugin"], row["from"], row["to"])
        for row in kept.outcome["actions"]
        for tenant in row["tenants"]
    }


def _done(group: Group, last: UpgradeTask | None) -> tuple[set[Action], int]:
    """What the tasks since then did, from first to last in each tenant, and how many they are."""
    rows = UpgradeTask.objects.filter(group=group, status=UpgradeTask.Status.SUCCEEDED)
    if last is not None:
        rows = rows.filter(created_at__gt=last.created_at)
    tasks = list(rows.select_related("tenant").order_by("created_at", "pk"))
    ends: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for task in tasks:
        for step in task.steps:
            key = (task.tenant.key, step["plugin"])
            ends[key] = (ends[key][0] if key in ends else step["from"], step["to"])
    return {(tenant, plugin, *versions) for (tenant, plugin), versions in ends.items()}, len(tasks)


def _conflicts(group: Group) -> set[tuple[str, str]]:
    """The conflicts that wait for a person, with each tenant that they touch."""
    rows = ConflictTenant.objects.filter(group=group, conflict__status=Conflict.Status.OPEN)
    return set(rows.values_list("conflict__fingerprint", "tenant__key"))


def _pairs(told: list[dict[str, Any]], tenants: str) -> set[tuple[str, str]]:
    return {(one["fingerprint"], key) for one in told for key in one[tenants]}


def _differing(what: str, foretold: set[Any], actual: set[Any]) -> Iterator[tuple[str, Any]]:
    """Nothing where both are the same, else what was only foretold and what only came."""
    if foretold != actual:
        only = {"only foretold": foretold - actual, "only came": actual - foretold}
        told = {word: sorted(map(str, rows))[:_SHOWN] for word, rows in only.items()}
        yield what, {**told, "foretold": len(foretold), "came": len(actual)}


def _unequal(what: str, foretold: dict[str, Any], actual: dict[str, int]) -> dict[str, Any]:
    wrong = {name: [foretold[name], value] for name, value in actual.items() if foretold[name] != value}
    return {what: wrong} if wrong else {}


def _never_fail() -> None:
    """Let the sandbox carry everything out at once, and rightly."""
    if not settings.USES_SANDBOX:
        return
    headers = {"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"}
    wanted = {"delay_seconds": 0.0, "failure_rate": 0.0, "false_success_rate": 0.0}
    address = f"{settings.ORCHESTRATOR_URL}/sandbox/settings"
    httpx.patch(address, json=wanted, headers=headers, timeout=30).raise_for_status()
