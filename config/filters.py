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
        name: Any = self.field_name
        rows: Any = self.parent.queryset
        values = rows.order_by(name).values_list(name, flat=True).distinct()
        self.extra["choices"] = [(value, value) for value in values if value not in (None, "")]
        return super().field
