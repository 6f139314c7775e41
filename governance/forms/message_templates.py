"""Writing a message template."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.messages import texts
from governance.messages.kinds import LONGEST_SUBJECT
from governance.messages.language import LONGEST_SOURCE
from governance.messages.texts import Texts


class TemplateForm(forms.Form):
    """The three parts of a message, each checked for mistakes before anything is kept."""

    subject = forms.CharField(label="Subject", max_length=LONGEST_SUBJECT)
    text = forms.CharField(
        label="Text",
        max_length=LONGEST_SOURCE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "font-monospace"}),
        help_text="For mail without HTML, chat, and the inbox.",
    )
    html = forms.CharField(
        label="HTML",
        max_length=LONGEST_SOURCE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "font-monospace"}),
        help_text="For mail. Text, tables and links; whatever stands in placeholders is shown as text.",
    )

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean(self) -> dict[str, Any]:
        """Name each mistake at its part, with its line."""
        cleaned = super().clean() or {}
        if not self.errors:
            for part, faults in texts.faults(self.kind, self.wanted).items():
                for fault in faults:
                    self.add_error(part, str(fault))
        return cleaned

    @property
    def wanted(self) -> Texts:
        """What was written; a browser ends lines in its own way."""
        said = {part: self.cleaned_data[part].replace("\r\n", "\n") for part in ("subject", "text", "html")}
        return Texts(**said)
