"""Filters that django-filter doesn't have."""

from __future__ import annotations

from typing import Any

from django_filters import ChoiceFilter, FilterSet


class SeenValuesFilter(ChoiceFilter):
    """Offers the values that occur in the rows within reach, and no others: a choice can give away a row."""

    parent: FilterSet  # set by the filter set that it is declared in

    @property
    def field(self) -> Any:
        """The form field, with its choices read when the form is built."""
        rows = self.parent.queryset.order_by(self.field_name)
        values = rows.values_list(self.field_name, flat=True).distinct()
        self.extra["choices"] = [(value, value) for value in values if value not in (None, "")]
        return super().field
