"""Chat messages, to people who chose it and to teams' chats: stored in the outbox, sent by apprise.

A message names its receiver, not the address: that holds secrets, and is looked up when the message is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import circuits, ledger, outbox
from audit.actions import Action
from audit.models import OutboxMessage
from audit.models.outbox import Destination
from audit.senders import Undeliverable
from config.access import Actor
from tenants import chat_addresses, preferences
from tenants.chat_addresses import AddressRefused
from tenants.models import Group, TeamChat, User

LONGEST = 1500  # characters; what is longer nobody reads in a chat, and the link leads to all of it
TEST = {"en": "Plumbline can reach this chat.", "zh": "Plumbline 可以向此聊天发送消息。"}
TEST_TITLE = {"en": "{group}: a test", "zh": "{group}：测试"}


class NotSent(Exception):
    """The chat service didn't take a message; `status` is its answer's, if it gave one."""

    def __init__(self, kind: str, status: int | None) -> None:
        self.status = status
        super().__init__(
            f"{kind} answers {status}" if status else f"{kind} can’t be reached or gives no answer"
        )


@transaction.atomic
def add(group: Group, *, name: str, address: str, actor: Actor, at: datetime, language: str = "") -> TeamChat:
    """Tell the chat what needs attention from now on; one of the same name is replaced.

    Without a language of its own it is told in the group's. Raises AddressRefused.
    """
    chat_addresses.opened(address)
    values = {"address": address.strip(), "active": True, "language": language}
    chat, _ = TeamChat.objects.update_or_create(group=group, name=name, defaults=values)
    data = {"service": chat_addresses.kind(address), "language": language}
    ledger.record(Action.CHAT_ADDED, subject=chat, actor=actor, at=at, data=data)
    return chat


@transaction.atomic
def speak(chat: TeamChat, language: str, *, actor: Actor, at: datetime) -> bool:
    """Tell a chat in use in this language from now on, empty in its group's; False if it is so already."""
    changed = TeamChat.objects.filter(pk=chat.pk, active=True).exclude(language=language)
    if not changed.update(language=language):
        return False
    ledger.record(Action.CHAT_LANGUAGE_CHANGED, subject=chat, actor=actor, at=at, data={"language": language})
    return True


@transaction.atomic
def end(chat: TeamChat, *, actor: Actor, at: datetime) -> bool:
    """Tell the chat nothing any more and forget its address; False if it had ended."""
    ended = TeamChat.objects.filter(pk=chat.pk, active=True).update(active=False, address="")
    if ended:
        ledger.record(Action.CHAT_ENDED, subject=chat, actor=actor, at=at)
        circuits.forget(chat.group_id, Destination.CHAT, ("team", chat.pk))
    return bool(ended)


def post_to_person(
    user: User, *, group_id: int, title: str, text: str, key: str, at: datetime, link: str = ""
) -> None:
    """Store a message to a person's own chat. The same key again changes nothing."""
    content = {"title": title, "text": _told(text, link), "person": user.pk}
    outbox.post(
        Destination.CHAT,
        content,
        group_id=group_id,
        idempotency_key=f"chat-{key}",
        address=user.username,
        at=at,
    )


def post_to_teams(
    group: Group, told: Callable[[str], tuple[str, str]], *, key: str, at: datetime, link: str = ""
) -> int:
    """Store a message to each of the group's chats; how many there are.

    `told` gives its title and text in a language.
    """
    chats = list(TeamChat.objects.filter(group=group, active=True).select_related("group"))
    for chat in chats:
        title, text = told(chat.spoken)
        post_to_team(chat, title=title, text=text, key=key, at=at, link=link)
    return len(chats)


def post_to_team(chat: TeamChat, *, title: str, text: str, key: str, at: datetime, link: str = "") -> None:
    """Store a message to one chat. The same key again changes nothing."""
    content = {"title": title, "text": _told(text, link), "team": chat.pk}
    outbox.post(
        Destination.CHAT,
        content,
        group_id=chat.group_id,
        idempotency_key=f"chat-{chat.pk}-{key}",
        address=chat.name,
        at=at,
    )


def post_test(chat: TeamChat, *, at: datetime) -> None:
    """Store a message by which whoever asked for it sees whether it arrives."""
    title = TEST_TITLE[chat.spoken].format(group=chat.group)
    post_to_team(chat, title=title, text=TEST[chat.spoken], key=f"test-{at.isoformat()}", at=at)


def last_to(user: User, group_id: int) -> OutboxMessage | None:
    """The newest message to the person's own chat, by which they see whether it works."""
    sent = OutboxMessage.objects.filter(group_id=group_id, destination=Destination.CHAT)
    return sent.filter(payload__person=user.pk).order_by("-created_at").first()


def last_to_teams(rows: Collection[TeamChat]) -> dict[str, OutboxMessage]:
    """The newest message to each of these chats in use, by the chat's name."""
    groups, names = {chat.group_id for chat in rows}, {chat.name for chat in rows if chat.active}
    sent = OutboxMessage.objects.filter(group_id__in=groups, destination=Destination.CHAT, address__in=names)
    newest = sent.filter(payload__has_key="team").order_by("address", "-created_at").distinct("address")
    return {message.address: message for message in newest}


def send(message: OutboxMessage) -> dict[str, Any]:
    """Send one message. Raises Undeliverable where there is no address, else NotSent where it failed."""
    address = _address(message)
    try:
        service = chat_addresses.opened(address)
    except AddressRefused as refusal:
        raise Undeliverable(str(refusal)) from None
    kind, told = chat_addresses.kind(address), message.payload
    sent, status = chat_addresses.notify(service, title=told["title"], text=told["text"])
    if sent:
        return {"sent": kind}
    if status is not None and status in _FOR_GOOD:
        raise Undeliverable(f"{kind} answers {status}: the address isn’t right, or has ended there.")
    raise NotSent(kind, status)


_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410})


def _address(message: OutboxMessage) -> str:
    person, team = message.payload.get("person"), message.payload.get("team")
    if team is not None:
        chat = TeamChat.objects.filter(pk=team, group_id=message.group_id, active=True).first()
        if chat is None:
            raise Undeliverable("The chat has ended.")
        return chat.address
    user = User.objects.filter(pk=person, is_active=True).first()
    kept = preferences.of(user).chat if user else None
    if not kept:
        raise Undeliverable("The person has no chat address any more.")
    return kept


def _told(text: str, link: str) -> str:
    short = text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"
    return f"{short}\n{link}".strip()
