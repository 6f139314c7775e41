"""Tokens of internal services."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenants.models.group import Group


class ServiceTokenQuerySet(models.QuerySet["ServiceToken"]):
    """Reads of tokens."""

    def valid(self, at: datetime) -> ServiceTokenQuerySet:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), revoked_at__isnull=True)


class ServiceToken(models.Model):
    """Lets a service act on one group within its scopes (Permission values). Only the digest is kept."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceTokenQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="token_name_once")]

    def __str__(self) -> str:
        return self.name
