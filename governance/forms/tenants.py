"""How the lists of tenants, and of what belongs to one, may be narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet

from config.filters import SeenValuesFilter
from governance.models import Finding, Installation, UpgradeTask
from tenants.models import Tenant


class TenantFilter(FilterSet):
    """How the list of tenants may be narrowed."""

    tier = SeenValuesFilter(label="Tier", empty_label="Any")
    drift = ChoiceFilter(
        label="Drift",
        empty_label="Any",
        choices=[("some", "Drifting"), ("overdue", "Past its due date"), ("none", "In line")],
        method="by_drift",
    )
    label = CharFilter(label="Label, as key=value", method="by_label")

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ()

    def by_drift(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Tenants by how far they are out of line."""
        chosen = {"some": Q(open_drift__gt=0), "overdue": Q(overdue_drift__gt=0), "none": Q(open_drift=0)}
        return rows.filter(chosen[value])

    def by_label(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Tenants with the label, or with any value of it if none is given."""
        key, equals, wanted = value.partition("=")
        return rows.filter(labels__contains={key: wanted}) if equals else rows.filter(labels__has_key=key)


class InstalledFilter(FilterSet):
    """How the list of what a tenant runs may be narrowed."""

    shows = ChoiceFilter(
        label="Show",
        empty_label="Everything",
        choices=[
            ("drift", "In drift"),
            ("warnings", "With security warnings"),
            ("unknown", "Not in the catalogue"),
        ],
        method="by_mark",
    )

    class Meta:
        model = Installation
        fields: tuple[str, ...] = ()

    def by_mark(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Installations that carry the mark."""
        chosen = {"drift": Q(drift__gt=0), "warnings": Q(warnings__gt=0), "unknown": Q(known=False)}
        return rows.filter(chosen[value])


class TenantDriftFilter(FilterSet):
    """How a tenant's findings may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=Finding.Status.choices)

    class Meta:
        model = Finding
        fields: tuple[str, ...] = ()


class TenantTaskFilter(FilterSet):
    """How a tenant's upgrade tasks may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=UpgradeTask.Status.choices)

    class Meta:
        model = UpgradeTask
        fields: tuple[str, ...] = ()
