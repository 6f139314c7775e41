"""Narrowing the list of deliveries."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import ChoiceFilter, FilterSet

from audit.models import OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus


class DeliveryFilter(FilterSet):
    """How the list of deliveries may be narrowed."""

    status = ChoiceFilter(
        label="Status",
        empty_label="Not delivered",
        choices=[("all", "All"), *OutboxStatus.choices],
        method="by_status",
    )
    destination = ChoiceFilter(label="Destination", empty_label="Any", choices=Destination.choices)
    cause = ChoiceFilter(label="Cause", empty_label="Any", choices=Cause.choices)

    class Meta:
        model = OutboxMessage
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without a choice of a status, what waits or was given up."""
        rows: Any = super().filter_queryset(queryset)
        narrowed: QuerySet[Any] = rows if self.form.cleaned_data.get("status") else rows.undelivered()
        return narrowed

    def by_status(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Messages by where they stand."""
        return rows if value == "all" else rows.filter(status=value)
