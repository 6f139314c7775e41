"""The kinds of disagreement, and what is done about each; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which two sides may say different things. `mends`: it has one right answer."""

    title: str
    remedy: str
    mends: bool = True


KINDS: dict[str, Kind] = {
    "installation": Kind(
        "Installations aren’t what the newest manifest says",
        "The manifest is taken again: what the tenant said last is what it runs.",
    ),
    "snapshot_number": Kind(
        "The next snapshot’s number isn’t free", "The number after the last snapshot’s is the next one."
    ),
    "snapshot_count": Kind(
        "A snapshot’s count isn’t what is installed in it",
        "Find out in the database’s own log who changed sealed history, and restore it from a backup.",
        mends=False,
    ),
    "finding": Kind("Findings aren’t what breaks the rules", "The drift of the tenant is detected anew."),
    "finding_status": Kind(
        "A finding’s status isn’t what its task makes of it",
        "The finding follows its task; without one it is new.",
    ),
    "plan_unfinished": Kind("A plan runs on with nothing left to do", "It is completed."),
    "task_of_ended_plan": Kind("A task waits for a plan that has ended", "The task is cancelled."),
    "handover_missing": Kind(
        "A task was handed over, but no message left", "The message is posted again, under the same key."
    ),
    "answer_missed": Kind(
        "The orchestrator took a task over, and the task doesn’t know", "The task takes its answer over."
    ),
    "given_up": Kind(
        "A hand-over was given up, and its task waits for the answer",
        "The task is given up, with the reason.",
    ),
    "handover_stale": Kind(
        "A message is on its way for a task that has ended", "The message is stopped before it is sent."
    ),
    "order": Kind(
        "The orchestrator is further than the task", "Its word is written back, as its callback would be."
    ),
    "order_behind": Kind(
        "The orchestrator is behind the task",
        "Ask whoever runs the orchestrator; its next callback settles it.",
        mends=False,
    ),
    "order_unknown": Kind(
        "The orchestrator knows nothing of the order",
        "See what became of it there, then say at the task what was done by hand, or cancel its plan.",
        mends=False,
    ),
    "entry_missing": Kind(
        "A state that no entry of the ledger explains",
        "The ledger notes that it was found so; who brought it there isn’t known.",
    ),
    "entry_unreported": Kind(
        "An entry of the ledger that the audit service never got", "It is posted again, under its hash."
    ),
    "chain": Kind(
        "The ledger’s chain does not hold",
        "Compare it with an export or a backup: somebody changed what can’t be changed.",
        mends=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two sides say of one subject. `key` is its identity within the kind."""

    kind: str
    key: str
    subject: str
    says: Mapping[str, str]

    @property
    def mends(self) -> bool:
        """Whether there is one right answer."""
        return KINDS[self.kind].mends

    def as_json(self, *, repaired: bool = False, hindered: str = "") -> dict[str, Any]:
        """As a reconciliation keeps it."""
        kind = KINDS[self.kind]
        return {
            "kind": self.kind,
            "title": kind.title,
            "subject": self.subject,
            "says": dict(self.says),
            "remedy": kind.remedy,
            "mends": kind.mends,
            "repaired": repaired,
            "hindered": hindered,
        }
