"""Days that are included in what they end."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms


class LastDay(forms.DateField):
    """A last day; its value is the end of it, in UTC."""

    widget = forms.DateInput(attrs={"type": "date"})

    def clean(self, value: Any) -> datetime | None:
        """The first moment that is no longer included."""
        day = super().clean(value)
        if day is None:
            return None
        try:
            return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
        except OverflowError:
            raise forms.ValidationError("Name an earlier day.") from None
