"""The texts of messages: those that ship, those that a group wrote, and a message written from them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from governance.messages import language as template_language
from governance.messages import markup
from governance.messages.kinds import DIGESTS, LONGEST_SUBJECT, Kind, placeholders
from governance.messages.language import Fault
from governance.messages.wording import LANGUAGES

log = structlog.get_logger("plumbline.messages")

_DEFAULTS = Path(__file__).parent / "defaults"
_MOST_SUBJECT = 200  # of what a subject becomes; mail readers show less


@dataclass(frozen=True, slots=True)
class Texts:
    """The templates of one kind of message in one language."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a reader gets."""

    subject: str
    text: str
    html: str


@functools.cache
def shipped(kind: str, language: str) -> Texts:
    """The texts that ship; in English where there is no such language."""
    place = _DEFAULTS / (language if language in LANGUAGES else LANGUAGES[0])
    body = "digest" if Kind(kind) in DIGESTS else kind
    return Texts(
        (place / f"{kind}.subject").read_text(encoding="utf-8").strip(),
        (place / f"{body}.txt").read_text(encoding="utf-8"),
        (place / f"{body}.html").read_text(encoding="utf-8"),
    )


def write(texts: Texts, values: Mapping[str, Any]) -> Message:
    """The message, from templates that were checked. Raises TooLong, or whatever else goes wrong in them."""
    subject = template_language.render(texts.subject, values, html=False)
    return Message(
        " ".join(subject.split())[:_MOST_SUBJECT],
        template_language.render(texts.text, values, html=False).strip(),
        template_language.render(texts.html, values, html=True).strip(),
    )


def written(kind: str, language: str, own: Texts | None, values: Mapping[str, Any]) -> Message:
    """The message from the group's own templates, or from those that ship if there is no other way.

    A template of its own that fails must not keep people from being told; it stands in the log.
    """
    if own is not None:
        try:
            message = write(own, values)
        except Exception as failure:
            log.warning("template.failed", kind=kind, language=language, error=str(failure))
        else:
            if message.subject and message.text:
                return message
    return write(shipped(kind, language), values)


def faults(kind: str, texts: Texts) -> dict[str, list[Fault]]:
    """What is wrong with templates, by part; a part without faults is missing."""
    known = placeholders(kind)
    found = {
        "subject": template_language.faults(texts.subject, known),
        "text": template_language.faults(texts.text, known),
        "html": template_language.faults(texts.html, known) + markup.faults(texts.html),
    }
    if len(texts.subject) > LONGEST_SUBJECT:
        found["subject"].append(Fault(1, f"it is longer than {LONGEST_SUBJECT} characters"))
    return {part: sorted(told, key=lambda one: one.line) for part, told in found.items() if told}
