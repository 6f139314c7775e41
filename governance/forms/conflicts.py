"""Deciding a conflict."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.models import Conflict


class DecideForm(forms.Form):
    """Which rules of the conflict give way for the tenants concerned, and why."""

    set_aside = forms.MultipleChoiceField(
        label="Set aside",
        widget=forms.CheckboxSelectMultiple,
        help_text="These rules don't bind what is stuck in the tenants that the conflict touches, nor in any "
        "that come into the same conflict later, until its inputs change.",
        error_messages={"required": "Choose at least one rule that gives way."},
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the ledger, and shown wherever the decision applies.",
    )

    def __init__(self, *args: Any, conflict: Conflict, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rules = _offered(conflict)
        field = self.fields["set_aside"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, label) for name, (_rule, label) in self.rules.items()]

    def clean_set_aside(self) -> list[dict[str, str]]:
        """The chosen rules as a decision names them."""
        return [self.rules[name][0] for name in self.cleaned_data["set_aside"]]


class ReopenForm(forms.Form):
    """Why a decision is taken back."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the ledger.",
    )


def way_out(conflict: Conflict, number: str) -> dict[str, Any]:
    """What the form begins with when someone follows one of the ways out, which count from 1."""
    ways = {str(place): way for place, way in enumerate(conflict.ways_out, start=1)}
    if number not in ways:
        return {}
    return {"set_aside": [f"{rule['policy']}/{rule['key']}" for rule in ways[number]["set_aside"]]}


def _offered(conflict: Conflict) -> dict[str, tuple[dict[str, str], str]]:
    """What a decision may set aside, by policy and key: the rules in conflict, and those of the ways out."""
    says: dict[tuple[str, str], list[str]] = {}
    for rule in conflict.explanation["rules"]:
        says.setdefault((rule["policy"], rule["key"]), []).append(rule["says"])
    for way in conflict.ways_out:
        for rule in way["set_aside"]:
            says.setdefault((rule["policy"], rule["key"]), [])
    offered = {}
    for (policy, key), texts in says.items():
        name = f"{policy}/{key}"
        offered[name] = ({"policy": policy, "key": key}, f"{name}: {'; '.join(texts)}" if texts else name)
    return offered
