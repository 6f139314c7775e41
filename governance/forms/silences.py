"""What a person says about a finding."""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo
from typing import Any

from django import forms

_REASON = "Kept in the ledger."


class SnoozeForm(forms.Form):
    """Putting reminders off until a day begins where the person is."""

    until = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="You hear of it again that day.",
    )
    reason = forms.CharField(label="Reason", max_length=1000, help_text=_REASON)

    def __init__(self, *args: Any, zone: tzinfo = UTC, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean_until(self) -> datetime:
        """The first moment of the day."""
        return datetime.combine(self.cleaned_data["until"], time.min, tzinfo=self.zone)


class AcknowledgeForm(forms.Form):
    """Taking a finding up."""

    reason = forms.CharField(label="Reason", max_length=1000, help_text=_REASON)

    # Two forms stand on one page, each with a reason of its own.
    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="acknowledge_%s")
