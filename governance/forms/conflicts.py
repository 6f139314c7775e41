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
        help_text="These rules don't bind the tenants below until the conflict's inputs change.",
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
        self.rules = {f"{rule['policy']}/{rule['key']}": rule for rule in conflict.explanation["rules"]}
        field = self.fields["set_aside"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, f"{name}: {rule['says']}") for name, rule in self.rules.items()]

    def clean_set_aside(self) -> list[dict[str, str]]:
        """The chosen rules as a decision names them."""
        chosen = [self.rules[name] for name in self.cleaned_data["set_aside"]]
        return [{"policy": rule["policy"], "key": rule["key"]} for rule in chosen]
