"""Filters that django-filter doesn't have."""

from __future__ import annotations

from typing import Any

from django import forms
from django_filters import ChoiceFilter, DateFilter, FilterSet


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


class DayFilter(DateFilter):
    """A day, chosen in the browser's own calendar; `end` tells whether it is the last one or the first."""

    def __init__(self, field_name: str, *, label: str, end: bool = False) -> None:
        lookup = "date__lte" if end else "date__gte"
        calendar = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(field_name=field_name, lookup_expr=lookup, label=label, widget=calendar)
