"""Adding a team's chat."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from tenants import chat_addresses
from tenants.chat_addresses import AddressRefused
from tenants.models import Group, Language, TeamChat


class ChatForm(forms.Form):
    """Where a team reads together."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="What it is called here and in the ledger."
    )
    address = forms.CharField(
        label="Address", max_length=1000, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    language = forms.ChoiceField(label="Language", required=False)

    def __init__(self, *args: Any, group: Group, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = [("", "As the group’s"), *Language.choices]
        self.fields["address"].help_text = (
            "In apprise’s notation, such as slack://… It holds secrets, so it isn’t shown again. Offered "
            f"here: {', '.join(sorted(settings.CHAT_SCHEMAS))}."
        )

    def clean_name(self) -> str:
        """A name that no chat in use has; one that has ended is taken up again."""
        name: str = self.cleaned_data["name"]
        if TeamChat.objects.filter(group=self.group, name=name, active=True).exists():
            raise forms.ValidationError(
                "A chat of this name is in use. End it first, or choose another name."
            )
        return name

    def clean_address(self) -> str:
        """An address that messages may go to."""
        address: str = self.cleaned_data["address"]
        try:
            chat_addresses.opened(address)
        except AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return address
