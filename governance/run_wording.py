"""What a run's stages counted, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.models import Conflict, Run, UpgradeTask

Stage = Run.Stage


@dataclass(frozen=True, slots=True)
class Told:
    """One figure. `help` says more where the words alone don't; `value` is empty where they say it all."""

    label: str
    value: Any = ""
    help: str = ""


def left(run: Run) -> int:
    """How many conflicts a completed run saw that wait for a person still.

    A run stands only for those that no earlier one stands for, and is completed beside the others.
    """
    if run.status != Run.Status.COMPLETED or run.finished_at is None:
        return 0
    return Conflict.objects.left_by(run).count()


def stands(run: Run, left: int) -> str:
    """Where it stands, and how many conflicts it left to people."""
    status = run.get_status_display()
    return (
        f"{status}; {left:,} conflict{' waits' if left == 1 else 's wait'} for a decision" if left else status
    )


def told(stage: str, figures: Mapping[str, Any]) -> list[Told]:
    """A stage's figures that say something, in the order that stands here: the database keeps none."""
    order = [*_OF_STAGE.get(stage, {}), *_WORDS, *_STATES]
    names = [name for name in figures if name != "seconds" and figures[name] not in (None, 0, "")]
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    return [_one(stage, name, figures[name]) for name in names]


def _one(stage: str, name: str, value: Any) -> Told:
    if name in _STATES:
        return Told(_STATES[name])
    known = _OF_STAGE.get(stage, {}).get(name) or _WORDS.get(name)
    label, more = known if known is not None else (name.replace("_", " "), "")
    counts = isinstance(value, int) and name not in _NUMBERS
    return Told(label, f"{value:,}" if counts else value, more)


# Whether something is so: the words say it, and a 1 beside them nothing.
_STATES = {
    "sealed": "newly sealed",
    "drafted": "newly drafted",
    "started": "the plan was started",
    "waits_for_a_person": "the plan waits for somebody to approve or start it",
}
_NUMBERS = {"snapshot", "plan", "report"}  # what has a number, rather than how many there are
# Words that mean another thing in another stage.
_OF_STAGE: Mapping[str, Mapping[str, tuple[str, str]]] = {
    Stage.COLLECT: {
        "refused": ("manifests refused", ""),
        "changed": ("tenants changed", "Their manifests name other versions, plugins or another host."),
        "opened": (
            "installations that are new",
            "A plugin at a version that it didn’t have in the tenant before.",
        ),
        "closed": ("installations that are gone", "Removed, or at another version now."),
    },
    Stage.EVALUATE: {
        "opened": ("new findings", ""),
        "closed": ("findings resolved", "What they were about is in line now."),
        "kept": ("findings that stay", ""),
        "accepted": ("findings newly exempt", "An exemption covers them since."),
        "reopened": (
            "findings exempt no more",
            "Their exemption is over, and their time to be mended begins anew.",
        ),
        "moved": ("findings about another version", "Still out of line, but at another version than before."),
    },
    Stage.SEAL: {
        "snapshot": ("snapshot", ""),
        "tenants": ("tenants", ""),
        "installations": ("installations", ""),
    },
    Stage.PLAN: {"plan": ("plan", "")},
    Stage.EXECUTE: {"refused": ("the plan was not started:", "")},
    Stage.VERIFY: {
        "waiting": ("tasks that the run still waits for", ""),
        **{status.value: (f"tasks: {status.label.lower()}", "") for status in UpgradeTask.Status},
    },
    Stage.REPORT: {"report": ("report", ""), "status": ("it is", "")},
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "manifests": ("manifests taken", "What tenants said they run."),
    "exemptions_expired": ("exemptions that ended", ""),
    "judged_tenants": ("tenants looked into", "Those in which something breaks a rule that is acted on."),
    "situations": (
        "different cases among them",
        "Tenants in which the same versions meet the same rules are one case, and decided once.",
    ),
    "wanted_changes": (
        "installations to be changed",
        "To another version, added, or removed, over all tenants.",
    ),
    "unsettled": (
        "times that no way was found",
        "No allowed version satisfies all rules there; counted in each tenant. Each is part of a conflict.",
    ),
    "new_conflicts": ("conflicts that are new", ""),
    "closed_conflicts": ("conflicts that went away", ""),
    "waiting_conflicts": ("conflicts that wait for a decision", ""),
    "tasks": ("upgrade tasks", "One for each tenant that the plan changes."),
    "dispatched": (
        "tasks handed over",
        "To the orchestrator, at once; the others follow when it is their turn.",
    ),
    "digests": ("people told", ""),
    "delivered": ("messages delivered", ""),
    "postponed": ("messages to be tried again", ""),
    "left_under_way": ("tasks that go on without it", "The run has ended; they are followed to their end."),
    "wait_for_windows": ("tasks that wait for maintenance windows", ""),
    "next_window": ("the next of these opens", ""),
}
