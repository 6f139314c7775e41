"""What people say about an upgrade task."""

from __future__ import annotations

from django import forms

from governance.queueing import Move


class PriorityForm(forms.Form):
    """Where a task is sent within the queue, and why."""

    move = forms.ChoiceField(choices=Move.choices, widget=forms.HiddenInput)
    reason = forms.CharField(label="Reason", max_length=1000, help_text="Kept in the ledger.")

    def clean_move(self) -> Move:
        """The move by its name."""
        return Move(self.cleaned_data["move"])


class CorrectionForm(forms.Form):
    """What was done by hand."""

    done = forms.CharField(
        label="What was done",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the ledger. The tenant’s next manifest shows whether it had the wanted effect.",
    )
