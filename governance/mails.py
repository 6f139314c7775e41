"""What a mail or chat says around the message that it carries, and several messages as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from governance.messages import wording
from governance.models import Notification
from tenants.models import Group

MOST_FOLDED = 20  # messages that are told whole when several go as one


def compose(messages: Sequence[Notification], group: Group, *, language: str) -> dict[str, str]:
    """Subject, text and HTML of the one mail that these messages make."""
    shown = messages[-MOST_FOLDED:]
    inbox = _inbox(group)
    context: dict[str, Any] = {
        "messages": shown,
        "folded": len(messages) - len(shown),
        "group": group.name,
        "inbox": inbox,
        "language": language,
        "subject": wording.subject([one.subject for one in messages], language),
        "tenant": messages[-1].tenant if len(messages) == 1 else None,
    }
    return {
        "subject": context["subject"],
        "text": render_to_string("governance/notifications/mail.txt", context),
        "html": render_to_string("governance/notifications/mail.html", context),
    }


def in_short(messages: Sequence[Notification], group: Group, *, language: str) -> dict[str, str]:
    """Title, text and link of the one chat message that these messages make: of several, the subjects."""
    subjects = [one.subject for one in messages]
    if len(messages) == 1:
        link = messages[0].content.get("link") or _inbox(group)
        return {"title": subjects[0], "text": messages[0].body, "link": link}
    text = "\n".join(f"- {subject}" for subject in subjects[-MOST_FOLDED:])
    return {"title": wording.subject(subjects, language), "text": text, "link": _inbox(group)}


def _inbox(group: Group) -> str:
    return f"{settings.BASE_URL}{reverse('notification_list', kwargs={'group': group.slug})}"
