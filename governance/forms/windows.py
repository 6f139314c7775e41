"""Agreeing a maintenance window."""

from __future__ import annotations

from datetime import time
from zoneinfo import available_timezones

from django import forms

from governance.models.window import DAYS

_WHOLE = "Choose a time on the quarter hour."


class WindowForm(forms.Form):
    """Weekly, by the clock of a place."""

    days = forms.TypedMultipleChoiceField(
        label="Days",
        choices=list(enumerate(DAYS)),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="On which the window begins.",
    )
    starts = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time", "step": 900}))
    ends = forms.TimeField(
        label="To",
        widget=forms.TimeInput(attrs={"type": "time", "step": 900}),
        help_text="Not later than the beginning: on the day after.",
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=[(name, name) for name in sorted(available_timezones())],
        initial="UTC",
        help_text="The window keeps its hour there when clocks are changed.",
    )

    def clean_starts(self) -> time:
        """On the quarter hour."""
        return _whole(self.cleaned_data["starts"])

    def clean_ends(self) -> time:
        """On the quarter hour."""
        return _whole(self.cleaned_data["ends"])


def _whole(clock: time) -> time:
    if clock.minute % 15 or clock.second or clock.microsecond:
        raise forms.ValidationError(_WHOLE)
    return clock
