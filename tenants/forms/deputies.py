"""Who stands in for a person."""

from __future__ import annotations

from django import forms


class DeputyForm(forms.Form):
    """Somebody else, from one day to another."""

    deputy = forms.CharField(
        label="Who stands in",
        max_length=150,
        help_text="The name that they sign in with.",
        widget=forms.TextInput(attrs={"list": "who-may-stand-in", "autocomplete": "off"}),
    )
    starts_on = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day is included.",
    )
