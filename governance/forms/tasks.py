"""What people say about an upgrade task."""

from __future__ import annotations

from django import forms


class CorrectionForm(forms.Form):
    """What was done by hand."""

    done = forms.CharField(
        label="What was done",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the ledger. The tenant’s next manifest shows whether it had the wanted effect.",
    )
