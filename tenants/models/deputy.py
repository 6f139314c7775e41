"""Who stands in for whom."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from config.access import Access
from tenants.models.group import Group
from tenants.models.user import User


class DeputyQuerySet(models.QuerySet["Deputy"]):
    """Reads of deputies."""

    def within(self, access: Access) -> Self:
        """The group's; for someone who reaches only some tenants, those that name that person."""
        rows = self.filter(group_id=access.group_id)
        mine = Q(person_id=access.actor.id) | Q(deputy_id=access.actor.id)
        return rows if access.whole_group else rows.filter(mine)

    def overlapping(self, starts_on: date, ends_on: date) -> Self:
        """Those that stand in on any day of the period, its last one included."""
        return self.filter(starts_on__lte=ends_on, ends_on__gte=starts_on)


class Deputy(models.Model):
    """Someone stands in for someone else in a group, from one day to another, by the clock of who is away."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="deputies")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deputies")
    deputy = models.ForeignKey(User, on_delete=models.CASCADE, related_name="stands_in_for")
    starts_on = models.DateField()
    ends_on = models.DateField()
    appointed_by_name = models.CharField(max_length=200)
    appointed_at = models.DateTimeField()

    objects = DeputyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deputies"
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="deputy_starts_before_it_ends",
                violation_error_message="The last day lies before the first.",
            ),
            models.CheckConstraint(
                condition=~Q(person=F("deputy")),
                name="deputy_is_somebody_else",
                violation_error_message="Nobody stands in for themselves.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy} for {self.person}"
