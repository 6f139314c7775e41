"""Maintenance windows of a tenant."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.db import models

from governance.calendars import Window
from governance.models.scoping import TenantRowQuerySet
from tenants.models import Group, Tenant


class MaintenanceWindow(models.Model):
    """A weekly time at which a tenant may be changed, agreed by its admin. Without any, it may be always."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="windows")
    days = models.JSONField()  # [0, 6]: Monday and Sunday
    starts = models.TimeField()
    ends = models.TimeField()  # on the day after, unless it is later than `starts`
    zone = models.CharField(max_length=60)
    agreed_by_name = models.CharField(max_length=200)
    agreed_at = models.DateTimeField()

    objects = TenantRowQuerySet["MaintenanceWindow"].as_manager()

    class Meta:
        verbose_name = "maintenance window"

    def __str__(self) -> str:
        days = ", ".join(DAYS[day] for day in self.days)
        return f"{days} {self.starts:%H:%M}–{self.ends:%H:%M} {self.zone}"

    @property
    def window(self) -> Window:
        """As the calendar takes it."""
        return Window(frozenset(self.days), self.starts, self.ends, ZoneInfo(self.zone))


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
