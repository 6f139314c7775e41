"""Turning a way out of a conflict into something else than a decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from governance.forms.days import LastDay
from governance.forms.exemptions import USUAL_SPAN
from governance.models import Conflict
from governance.ways_out import Way


class DraftForm(forms.Form):
    """Why a policy's text is changed."""

    reason = forms.CharField(
        label="What changes, and why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the draft, and in the ledger.",
    )
    # What the person has read: evaluation may have told the ways out anew since.
    says = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, conflict: Conflict, way: Way, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way = way
        self.at = at
        self.initial.setdefault("says", way.says)
        longest = self.fields["reason"].max_length  # type: ignore[attr-defined]
        self.initial.setdefault("reason", f"Ends a conflict: {conflict}"[:longest])

    def clean_says(self) -> str:
        """The way out, still the one that was read."""
        says: str = self.cleaned_data["says"]
        if says != self.way.says:
            raise forms.ValidationError("The ways out have changed meanwhile: look at the conflict again.")
        return says


class ExemptionsForm(DraftForm):
    """Why the tenants are to be exempt, and until when."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever decides reads it; it is kept in the ledger.",
    )
    until = LastDay(
        label="Until",
        help_text="The last day. Then the rules bind again.",
    )

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, at=at, **kwargs)
        self.initial.setdefault("until", (at + USUAL_SPAN).date())
        self.fields["until"].widget.attrs["min"] = at.date().isoformat()
