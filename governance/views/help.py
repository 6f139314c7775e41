"""Help: the four steps, the first steps, the words, and how machines and commands do what people do here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from audit.models import OutboxMessage, Report
from config.access import ConsoleRequest, Permission, requires
from config.lifecycle import Transitions
from config.rendering import render_page
from governance.models import (
    Conflict,
    Exemption,
    Plan,
    Policy,
    Run,
    Simulation,
    UpgradeOrder,
    UpgradeTask,
)
from governance.versions.examples import EXAMPLES

TOPICS = {
    "words": "The words",
    "policies": "What policies say",
    "simulating": "How a change is tried",
    "execution": "How plans are carried out",
    "manifests": "How manifests get here",
    "commands": "The commands",
    "states": "The states",
    "keyboard": "The keyboard",
}
LIFECYCLES: tuple[type[models.Model], ...] = (
    Policy,
    Exemption,
    Conflict,
    Simulation,
    Run,
    Plan,
    UpgradeTask,
    UpgradeOrder,
    Report,
    OutboxMessage,
)


Task = UpgradeTask.Status
TASK_STATES = {
    Task.QUEUED: "It waits for its turn.",
    Task.DISPATCHED: "It is on its way to the orchestrator, which hasn’t said yet that it has the order.",
    Task.ACCEPTED: "The orchestrator has the order, and hasn’t begun.",
    Task.RUNNING: "The orchestrator is at work.",
    Task.VERIFYING: "The orchestrator says that it is done; the tenant’s next manifest has to show it.",
    Task.SUCCEEDED: "The tenant’s manifest shows what the plan wanted.",
    Task.FAILED: "The orchestrator says that it failed; it is tried again in a while.",
    Task.GIVEN_UP: "It failed as often as it may, or couldn’t be handed over. Its page says what comes next.",
    Task.MANUAL: "A person says that it was done by hand; the tenant’s next manifest has to show it.",
    Task.VERIFY_FAILED: "The manifest shows something else, or none came in time. Its page says what.",
    Task.CANCELLED: "Somebody stopped it, or it wasn’t wanted any more.",
}


@dataclass(frozen=True, slots=True)
class State:
    """A state, and the states that may follow it."""

    value: str
    label: str
    follow: list[tuple[str, str]]


@require_GET
@requires(Permission.GROUP_VIEW, Permission.TENANT_VIEW)
def help_index(request: ConsoleRequest) -> HttpResponse:
    """Where to begin."""
    return render_page(request, "governance/help/index.html", {"topics": TOPICS})


@require_GET
@requires(Permission.GROUP_VIEW, Permission.TENANT_VIEW)
def help_topic(request: ConsoleRequest, topic: str) -> HttpResponse:
    """One topic."""
    if topic not in TOPICS:
        raise Http404
    context: dict[str, Any] = {"topics": TOPICS, "topic": topic, "title": TOPICS[topic]}
    if topic == "states":
        context["plan"] = Plan._meta.verbose_name
        context["lifecycles"] = [(model._meta.verbose_name, list(_states(model))) for model in LIFECYCLES]
    if topic == "execution":
        context["task_states"] = [(status.label, TASK_STATES[status]) for status in Task]
    if topic == "policies":
        context["examples"] = EXAMPLES
    if topic == "manifests":
        context["base"] = request.build_absolute_uri("/")[:-1]
    return render_page(request, f"governance/help/{topic}.html", context)


def _states(model: type[models.Model]) -> Iterator[State]:
    """The model's transition table in words, as the code has it."""
    transitions: Transitions = model.TRANSITIONS  # type: ignore[attr-defined]
    field: Any = model._meta.get_field("status")
    labels = {str(value): str(label) for value, label in field.flatchoices}
    for value, label in labels.items():
        follow = [(name, text) for name, text in labels.items() if name in transitions[value]]
        yield State(value, label, follow)
