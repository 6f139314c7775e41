"""An organisation with many tenants."""

from __future__ import annotations

from django.db import models

from tenants.models.language import Language


class Group(models.Model):
    """One organisation. Nothing in Plumbline reaches across groups."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    # The dialect of plugins that arrive in a manifest before the catalogue knows them.
    default_scheme = models.CharField(max_length=20, default="semver")
    host_name = models.CharField(max_length=200, default="host")
    # The number that the next seal gives: changes gather under it until then.
    open_snapshot = models.PositiveIntegerField(default=1)
    # Feature flag plugin-version-governance: all of it.
    governance_enabled = models.BooleanField(default=True)
    # Feature flag plugin-multi-tenant-sync: anything that changes a tenant.
    sync_enabled = models.BooleanField(default=True)
    # The big red button: while it is pressed, nothing is handed over to the orchestrator.
    halted_at = models.DateTimeField(null=True)
    halted_by_name = models.CharField(max_length=200, blank=True)
    halt_reason = models.CharField(max_length=1000, blank=True)
    # When its follow-up was asked for that hasn't begun yet, and when the last began; see governance.waking.
    follow_up_asked_at = models.DateTimeField(null=True)
    follow_up_begun_at = models.DateTimeField(null=True)
    follow_up_rests_until = models.DateTimeField(null=True)  # the next one doesn't begin before
    # Up to when steps of reminders were looked for; see governance.duedates.
    steps_noticed_at = models.DateTimeField(null=True)
    # What its team chats are told in, those that have none of their own.
    language = models.CharField(max_length=8, choices=Language, default=Language.ENGLISH)
    language_filed = models.BooleanField(default=False)  # the directory file says it
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def group_id(self) -> int:
        """A group belongs to itself, so that the ledger treats it like all else."""
        return self.pk
