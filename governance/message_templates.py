"""The templates that a group wrote instead of those that ship: read, changed, taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance.messages import texts
from governance.messages.language import Fault
from governance.messages.texts import Texts
from governance.models import MessageTemplate
from tenants.models import Group

Own = Mapping[tuple[str, str], Texts]  # by kind and language


class TemplateRefused(ValueError):
    """Templates that can't be kept; `faults` says why, by part."""

    def __init__(self, faults: Mapping[str, list[Fault]]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{part}: {fault}" for part, told in faults.items() for fault in told))


def of_group(group_id: int, kinds: Collection[str]) -> Own:
    """The group's own templates of these kinds."""
    rows = MessageTemplate.objects.filter(group_id=group_id, kind__in=kinds)
    return {(row.kind, row.language): Texts(row.subject, row.text, row.html) for row in rows}


def current(group_id: int, kind: str, language: str) -> Texts:
    """What a message of the kind is written from now."""
    return of_group(group_id, [kind]).get((kind, language)) or texts.shipped(kind, language)


@transaction.atomic
def change(
    group: Group, kind: str, language: str, wanted: Texts, *, actor: Actor, at: datetime
) -> MessageTemplate | None:
    """Write messages of the kind from these templates from now on. Raises TemplateRefused.

    What is there already changes nothing; the texts that ship are kept as such, so that they follow updates.
    """
    if found := texts.faults(kind, wanted):
        raise TemplateRefused(found)
    if wanted == current(group.pk, kind, language):
        return None
    if wanted == texts.shipped(kind, language):
        restore(group, kind, language, actor=actor, at=at)
        return None
    ledger.hold(group.pk)
    row, _ = MessageTemplate.objects.update_or_create(
        group=group,
        kind=kind,
        language=language,
        defaults={
            "subject": wanted.subject,
            "text": wanted.text,
            "html": wanted.html,
            "changed_by_name": actor.name,
            "changed_at": at,
        },
    )
    data = {"kind": kind, "language": language, "subject": wanted.subject, "text": wanted.text}
    data["html"] = wanted.html
    ledger.record(Action.TEMPLATE_CHANGED, subject=row, actor=actor, at=at, data=data)
    return row


@transaction.atomic
def restore(group: Group, kind: str, language: str, *, actor: Actor, at: datetime) -> None:
    """Go back to the texts that ship; without any of its own it changes nothing."""
    ledger.hold(group.pk)
    row = MessageTemplate.objects.filter(group=group, kind=kind, language=language).first()
    if row is None:
        return
    data = {"kind": kind, "language": language}
    ledger.record(Action.TEMPLATE_RESTORED, subject=row, actor=actor, at=at, data=data)
    row.delete()
