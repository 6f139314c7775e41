"""How a person wants to be told."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from tenants import chat_addresses
from tenants.chat_addresses import AddressRefused
from tenants.models import Channel, Language, Preferences
from tenants.preferences import Wanted

_ZONES = [(name, name) for name in sorted(available_timezones())]
_NONE = [("", "Nothing more")]
_RANKS = ("first", "second", "third")


class PreferencesForm(forms.Form):
    """A person's own preferences. What is kept of the chat address is never part of it."""

    language = forms.ChoiceField(
        label="Language", choices=Language.choices, help_text="Of messages; the console is in English."
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=_ZONES,
        error_messages={"invalid_choice": "No time zone is called that: choose one from the list."},
        help_text="The clock of all times told, of quiet hours and of the days of a deputy.",
    )
    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    quiet_until = forms.TimeField(
        label="Quiet until",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="Messages outside the console wait for the end of this time. Earlier than the beginning: "
        "on the day after.",
    )
    first = forms.ChoiceField(label="Reach me by", choices=Channel.choices)
    second = forms.ChoiceField(label="And by", required=False, choices=[*_NONE, *Channel.choices])
    third = forms.ChoiceField(
        label="And also by",
        required=False,
        choices=[*_NONE, *Channel.choices],
        help_text="The console’s inbox keeps every message; without it here, none of them counts as unread.",
    )
    chat = forms.CharField(
        label="Chat address",
        required=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    forget_chat = forms.BooleanField(label="Forget the chat address that is kept", required=False)

    def __init__(self, *args: Any, kept: Preferences, **kwargs: Any) -> None:
        ranked = dict(zip(_RANKS, kept.channels, strict=False))
        fields = ("language", "time_zone", "quiet_from", "quiet_until")
        initial = {**{name: getattr(kept, name) for name in fields}, **ranked}
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.kept = kept
        self.fields["chat"].help_text = _chat_help(kept)
        if not kept.chat:
            del self.fields["forget_chat"]

    def clean_chat(self) -> str:
        """An address that messages may go to."""
        address: str = self.cleaned_data["chat"]
        if address:
            try:
                chat_addresses.opened(address)
            except AddressRefused as refusal:
                raise forms.ValidationError(str(refusal)) from None
        return address

    def clean(self) -> dict[str, Any]:
        """Quiet hours have two ends, channels differ, and chat has an address."""
        given = super().clean() or {}
        start, end = given.get("quiet_from"), given.get("quiet_until")
        if (start is None) != (end is None) and not {"quiet_from", "quiet_until"} & set(self.errors):
            missing = "quiet_from" if start is None else "quiet_until"
            self.add_error(missing, "Quiet hours need a beginning and an end: give both, or none.")
        elif start is not None and start == end:
            self.add_error("quiet_until", "That is no time at all, or the whole day: choose another end.")
        self._check_channels(self._channels(given))
        return given

    def wanted(self) -> Wanted:
        """What the person chooses."""
        given = self.cleaned_data
        return Wanted(
            language=given["language"],
            time_zone=given["time_zone"],
            quiet_from=given["quiet_from"],
            quiet_until=given["quiet_until"],
            channels=self._channels(given),
            chat=given["chat"] or ("" if given.get("forget_chat") else None),
        )

    def _check_channels(self, channels: list[str]) -> None:
        if len(set(channels)) < len(channels):
            self.add_error("second", "The same channel stands here twice: once is enough.")
        given = self.cleaned_data
        address = given.get("chat") or (self.kept.chat and not given.get("forget_chat"))
        if Channel.CHAT in channels and not address and "chat" not in self.errors:
            self.add_error("chat", "Chat is among the channels: give an address, or take chat away.")

    def _channels(self, given: dict[str, Any]) -> list[str]:
        return [given[rank] for rank in _RANKS if given.get(rank)]


def _chat_help(kept: Preferences) -> str:
    text = "In apprise’s notation, such as slack://… or tgram://… It holds secrets, so it isn’t shown again."
    if not kept.chat:
        return text
    return f"An address of {chat_addresses.kind(kept.chat)} is kept. Leave this empty to keep it. {text}"
