"""State machines: one conditional UPDATE against the model's transition table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import models

Transitions = Mapping[str, frozenset[str]]


class TransitionError(Exception):
    """The record isn't in a state from which it may go there, perhaps since someone else was faster."""

    def __init__(self, subject: models.Model, to: str) -> None:
        self.subject = subject
        self.to = to
        current = _in_words(subject, getattr(subject, "status", "?"))
        wanted = _in_words(subject, to)
        if current == wanted:
            super().__init__(f"{_named(subject)} is {current} already.")
        else:
            super().__init__(f"{_named(subject)} can't become {wanted}: it is {current} by now.")


def _named(subject: models.Model) -> str:
    """The record with its kind, unless its own name begins with that: Plan 3, the policy “core”."""
    name, kind = str(subject), str(subject._meta.verbose_name)
    return name if name.lower().startswith(f"{kind} ") else f"The {kind} “{name}”"


def _in_words(subject: models.Model, status: str) -> str:
    """The state as pages name it, within a sentence."""
    fields = [field for field in subject._meta.fields if field.name == "status"]
    labels = {str(value): str(label) for field in fields for value, label in field.flatchoices}
    label = labels.get(str(status), str(status))
    return label[:1].lower() + label[1:]


def sources(transitions: Transitions, to: str) -> list[str]:
    """The states from which `to` may be reached."""
    return [source for source, targets in transitions.items() if to in targets]


def advance(
    subject: models.Model, *, to: str, only_from: Collection[str] | None = None, **fields: Any
) -> None:
    """Move a record on and set fields with it. Raises TransitionError if its state in the database forbids.

    The model names its table as `TRANSITIONS`; the instance is brought up to date too. Where several ways
    lead to a state, `only_from` names where this one begins.
    """
    transitions: Transitions = subject.TRANSITIONS  # type: ignore[attr-defined]
    states = [one for one in sources(transitions, to) if only_from is None or one in only_from]
    rows = type(subject)._default_manager.filter(pk=subject.pk, status__in=states)
    if not rows.update(status=to, **fields):
        subject.refresh_from_db(fields=["status"])
        raise TransitionError(subject, to)
    subject.status = to  # type: ignore[attr-defined]
    for name, value in fields.items():
        setattr(subject, name, value)
