"""Narrowing the list of orders, and reporting on one."""

from __future__ import annotations

from typing import Any

from django import forms
from django_filters import ChoiceFilter, FilterSet

from governance.models import UpgradeOrder


class OrderFilter(FilterSet):
    """How the list of orders may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=UpgradeOrder.Status.choices)

    class Meta:
        model = UpgradeOrder
        fields: tuple[str, ...] = ()


class ReportOrderForm(forms.Form):
    """What became of an order."""

    outcome = forms.ChoiceField(choices=[("done", "Done"), ("impossible", "Can’t be done")])
    detail = forms.CharField(max_length=1000, required=False)

    def clean(self) -> dict[str, Any]:
        """Whether it was done; that it can't be wants a reason."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["done"] = cleaned.get("outcome") == "done"
        if cleaned.get("outcome") == "impossible" and not cleaned.get("detail"):
            raise forms.ValidationError("Say why it can’t be done.")
        return cleaned

    def reason(self) -> str:
        """Why the form isn't valid, in a sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)
