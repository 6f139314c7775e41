"""What the measured stages are compared with, and how PostgreSQL carries out their statements."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection, transaction

from config.access import SYSTEM
from demo.benchmarks import filling
from demo.benchmarks.world import AT
from governance import decisions, drift
from governance.likeness import Likeness
from governance.models import Finding, Rule
from governance.outcomes import evaluate_outcomes
from governance.resolution import Outcome, combined, decide_whole
from governance.situations import Setting, Situations
from tenants.models import Group

Figures = dict[str, Any]
SAMPLE = 150  # tenants that are decided alone; all would take most of an hour
_ARRAY = re.compile(r"'\{[^}]{60,}\}'")


def alone() -> Figures:
    """Some tenants decided one by one with nothing shared, and whether the decisions are the same."""
    group = Group.objects.get(slug=filling.SLUG)
    inputs = decisions.current_inputs(group, at=AT)
    kinds = [kind for slice_ in Setting(inputs).slices() for kind in slice_.kinds.values()]
    sample = _spread([replace(kind, tenant_ids=(one,)) for kind in kinds for one in kind.tenant_ids])
    tenants = sum(len(kind.tenant_ids) for kind in kinds)
    situations = Situations(Setting(inputs), sample)
    begun = time.perf_counter()
    found = {kind.example: _decided(situations, kind.example) for kind in sample}
    seconds = time.perf_counter() - begun
    together = evaluate_outcomes(replace(inputs, tenant_ids=frozenset(found)), {})
    if any(together[tenant].outcome != outcome for tenant, outcome in found.items()):
        raise AssertionError("Tenants decided alone come out otherwise than together.")
    return {
        "seconds": round(seconds, 3),
        "tenants": len(found),
        "all_would_take": round(seconds / len(found) * tenants, 1),
        "same_as_together": True,
    }


def _spread(kinds: list[Likeness]) -> list[Likeness]:
    kinds.sort(key=lambda kind: kind.example)
    return kinds[:: max(len(kinds) // SAMPLE, 1)][:SAMPLE]


def _decided(situations: Situations, example: int) -> Outcome:
    """With only what breaks a rule open at first, and nothing opened that isn't asked for."""
    while True:
        situations.load({example: situations.opened[example]})
        outcome = combined(
            [decide_whole(situations.part(example, group)) for group in situations.groups(example)]
        )
        if not outcome.beyond:
            return outcome
        situations.open(example, outcome.beyond, widely=outcome.widely)


@dataclass
class _Explainer:
    """Has PostgreSQL tell how it carries out the hot statements, before it does."""

    notes: dict[str, str] = field(default_factory=dict)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Let the statement run twice, the first time taken back; see Django's `execute_wrapper`."""
        title = next((title for title, part in _HOT.items() if part in sql), None)
        if title is not None and title not in self.notes:
            with connection.connection.cursor() as cursor:
                cursor.execute("SAVEPOINT explained")
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", params)
                lines = [_ARRAY.sub("'{…}'", row[0]) for row in cursor.fetchall()]
                cursor.execute("ROLLBACK TO SAVEPOINT explained")
            self.notes[title] = "\n".join(lines)
        return execute(sql, params, many, context)


# What each hot statement does, and by what its text is told from others.
_HOT = {
    "what breaks the rules": "CREATE TEMPORARY TABLE staged_difference",
    "findings opened, closed and altered": "INSERT INTO governance_finding",
    "tenants that are alike": "WITH chosen AS MATERIALIZED",
    "decisions written to findings": "UPDATE governance_finding f\n    SET target_id",
}


def plans() -> Figures:
    """The query plans of the hot statements, as they are when everything is new."""
    group = Group.objects.get(slug=filling.SLUG)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Finding._meta.db_table}")
    Rule.objects.filter(group=group).update(detected=False)
    begun = time.perf_counter()
    with _explained() as explainer:
        drift.detect(group, at=AT)
        decisions.evaluate(group, at=AT, actor=SYSTEM)
    return {"seconds": round(time.perf_counter() - begun, 3), "notes": explainer.notes}


@contextmanager
def _explained() -> Iterator[_Explainer]:
    explainer = _Explainer()
    with transaction.atomic(), connection.execute_wrapper(explainer):
        yield explainer
