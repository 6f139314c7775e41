"""One line of the ledger."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db import models

from audit.actions import Action
from config.access import Access, Permission


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads of the ledger."""

    def within(self, access: Access) -> EntryQuerySet:
        """The entries of the group; for someone who reaches only some tenants, those of these tenants."""
        entries = self.filter(group_id=access.group_id)
        if not access.allows(Permission.LEDGER_VIEW):
            return entries.none()
        if access.tenant_ids is not None:
            entries = entries.filter(tenant_id__in=access.tenant_ids)
        return entries

    def about(self, kind: str, subject_id: object) -> EntryQuerySet:
        """The entries on one subject."""
        return self.filter(subject_kind=kind, subject_id=str(subject_id))


class Entry(models.Model):
    """What was decided or changed, by whom, when and why.

    Plain values without foreign keys, so that an entry outlives what it speaks of. A trigger refuses UPDATE,
    DELETE and TRUNCATE. `hash` covers the canonical JSON of the other fields and the hash before it.
    """

    group_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=40, choices=Action)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    subject_label = models.CharField(max_length=300)
    tenant_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        constraints = [models.UniqueConstraint(fields=["group_id", "sequence"], name="entry_sequence_once")]
        indexes = [
            models.Index(fields=["group_id", "-at"]),
            models.Index(fields=["group_id", "tenant_id", "-sequence"]),
            models.Index(fields=["subject_kind", "subject_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject_label}"

    @property
    def subject_noun(self) -> str:
        """What kind of thing it speaks of, in words; as it is kept where there is no such model any more."""
        return _nouns().get(self.subject_kind, self.subject_kind)


@cache
def _nouns() -> dict[str, str]:
    return {str(model._meta.model_name): str(model._meta.verbose_name) for model in apps.get_models()}
