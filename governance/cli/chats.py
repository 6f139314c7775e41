"""chat list, add, test, speak, end."""

from __future__ import annotations

from datetime import datetime

import typer

from governance import chats as listed
from governance.cli.output import Output, operator
from tenants import chats, groups
from tenants.forms.chats import ChatForm
from tenants.models import Group, Language, TeamChat


def show(out: Output, group: Group) -> None:
    """All of them."""
    document = listed.told(group)
    rows = [
        [
            one["number"],
            one["name"],
            one["service"] or "ended",
            one["language"],
            one["last_message"]["status"] if one["last_message"] else "none yet",
        ]
        for one in document["chats"]
    ]
    headings = ("number", "chat", "service", "language", "last message")
    out.answer(document, lambda: out.table(f"Team chats of {group}", headings, rows))


def add(out: Output, group: Group, name: str, address: str, *, language: str, at: datetime) -> None:
    """Tell a chat from now on."""
    form = ChatForm({"name": name, "address": address, "language": language}, group=group)
    if not form.is_valid():
        raise typer.BadParameter(" ".join(str(told) for errors in form.errors.values() for told in errors))
    chat = chats.add(group, **form.cleaned_data, actor=operator(), at=at)
    told = f"{name} is told from now on: number {chat.pk}."
    out.answer(
        listed.document(chat), lambda: out.say(f"{told} `chat test {chat.pk}` shows whether it arrives.")
    )


def test(out: Output, group: Group, number: int, *, at: datetime) -> None:
    """Send a test message."""
    chat = _in_use(group, number)
    chats.post_test(chat, at=at)
    told = f"A message to {chat} is on its way; `chat list` tells what came of it."
    out.answer(listed.document(chat), lambda: out.say(told))


def speak(out: Output, group: Group, language: str, number: int | None, *, at: datetime) -> None:
    """Choose the language of a chat, or of those that have none of their own."""
    if language not in Language.values and not (number and language == ""):
        raise typer.BadParameter(f"The languages are {', '.join(Language.values)}.")
    if number is None:
        groups.speak(group, language, actor=operator(), at=at)
        group.refresh_from_db(fields=["language"])
        out.answer(listed.told(group), lambda: out.say(f"The chats of {group} are told in {language}."))
        return
    chat = _in_use(group, number)
    chats.speak(chat, language, actor=operator(), at=at)
    chat = _in_use(group, number)
    out.answer(listed.document(chat), lambda: out.say(f"{chat} is told in {chat.spoken}."))


def end(out: Output, group: Group, number: int, *, at: datetime) -> None:
    """Tell it nothing any more."""
    chat = _in_use(group, number)
    chats.end(chat, actor=operator(), at=at)
    chat.refresh_from_db()
    out.answer(listed.document(chat), lambda: out.say(f"{chat} is told nothing any more."))


def _in_use(group: Group, number: int) -> TeamChat:
    chat = TeamChat.objects.filter(group=group, active=True, pk=number).select_related("group").first()
    if chat is None:
        raise typer.BadParameter(f"{group} has no chat {number} in use; `chat list` lists them.")
    return chat
