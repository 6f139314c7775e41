"""Freezing a group."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms


class FreezeForm(forms.Form):
    """Whole days on which nothing is handed over."""

    name = forms.RegexField(
        r"^[A-Za-z0-9_-]+$",
        label="Name",
        max_length=100,
        help_text="Letters, digits, dashes and underscores: year-end, for example.",
        error_messages={"invalid": "Use letters, digits, dashes and underscores only."},
    )
    starts = forms.DateField(
        label="From", widget=forms.DateInput(attrs={"type": "date"}), help_text="The first day, in UTC."
    )
    ends = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day, in UTC; it is included.",
    )
    reason = forms.CharField(
        label="Reason", max_length=200, help_text="Shown wherever a task waits for the freeze to end."
    )

    def clean_ends(self) -> date:
        """Not before the beginning, and with a day after it, with which it is over."""
        ends: date = self.cleaned_data["ends"]
        starts: date | None = self.cleaned_data.get("starts")
        if ends == date.max:
            raise forms.ValidationError("Name an earlier day.")
        if starts and ends < starts:
            raise forms.ValidationError("This is before the first day.")
        return ends

    @property
    def document(self) -> dict[str, Any]:
        """The freeze as the configuration has it."""
        given = self.cleaned_data
        days = {"from": given["starts"].isoformat(), "until": given["ends"].isoformat()}
        return {"name": given["name"], **days, "reason": given["reason"]}
