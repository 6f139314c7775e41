"""What an owner changes of a person."""

from __future__ import annotations

from django import forms


class AddressForm(forms.Form):
    """Where a person's mail goes."""

    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, help_text="Empty: no mail is sent to them."
    )
