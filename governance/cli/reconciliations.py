"""version_policy_reconcile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance import reconciliation
from governance.cli.output import Exit, Output, end, operator
from governance.models import Reconciliation
from tenants.models import Group


def reconcile(out: Output, groups: Sequence[Group], *, apply: bool, whole: bool, at: datetime) -> None:
    """Compare the groups one after the other. Ends with DIFFERENT or DECISION where something is left."""
    rows = []
    for group in groups:
        with out.console.status(f"Comparing all that should agree in {group}…"):
            asked = {"apply": apply, "whole": whole}
            rows.append(reconciliation.reconcile(group, **asked, actor=operator(), at=at))
    document = {"groups": [reconciliation.as_document(row) for row in rows]}
    out.answer(document, lambda: _show(out, rows))
    left = [one for row in rows for one in row.disagreements if not one["repaired"]]
    if any(one["mends"] and not one["hindered"] for one in left):
        end(Exit.DIFFERENT)
    if left or any(row.unanswered for row in rows):
        end(Exit.DECISION)


def _show(out: Output, rows: Sequence[Reconciliation]) -> None:
    for row in rows:
        compared = ", ".join(f"{count:,} {noun}" for noun, count in row.compared.items())
        reach = "all that ever was" if row.whole else "what is open or has changed since the last"
        out.say(f"{row.group}: compared {compared} ({reach}).")
        if row.unanswered:
            out.say(f"The orchestrator could not be asked about {row.unanswered} tasks.", "yellow")
        if not row.disagreements:
            out.say("All agree.", "green")
            continue
        table = [
            [
                one["subject"],
                one["title"],
                "; ".join(f"{side}: {said}" for side, said in one["says"].items()),
                "repaired" if one["repaired"] else one["hindered"] or one["remedy"],
            ]
            for one in row.disagreements
        ]
        out.table(f"{row.group}: disagreements", ("subject", "what", "each side", "what is done"), table)
        if not row.applied and row.left:
            out.say("Nothing was changed. --apply repairs what has one right answer.")
