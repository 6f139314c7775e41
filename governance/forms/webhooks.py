"""Adding a webhook."""

from __future__ import annotations

from typing import Any

from django import forms

from config.access import Access
from governance.models import WebhookSubscription


class WebhookForm(forms.Form):
    """Where the group's events are to go."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="What it is called here and in the ledger."
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput(),
        help_text="Events are sent there as CloudEvents, signed as Standard Webhooks has it.",
    )

    def __init__(self, *args: Any, access: Access, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access = access

    def clean_name(self) -> str:
        """A name that no webhook in use has; one that has ended is taken up again."""
        name: str = self.cleaned_data["name"]
        if WebhookSubscription.objects.within(self.access).filter(name=name, active=True).exists():
            raise forms.ValidationError(
                "A webhook of this name is in use. End it first, or choose another name."
            )
        return name
