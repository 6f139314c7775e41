"""The team chats of a group, as the endpoints and commands tell of them: never with an address."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tenants import chat_addresses, chats
from tenants.models import Group, TeamChat


def told(group: Group) -> dict[str, Any]:
    """All of them, those that have ended too, and the language of those that have none of their own."""
    rows = list(TeamChat.objects.filter(group=group).select_related("group").order_by("name"))
    return {"language": group.language, "chats": documents(rows)}


def documents(rows: Collection[TeamChat]) -> list[dict[str, Any]]:
    """Each with its service, the language that it is told in, and what came of the newest message."""
    newest = chats.last_to_teams(rows)
    return [_document(row, newest.get(row.name) if row.active else None) for row in rows]


def document(row: TeamChat) -> dict[str, Any]:
    """One of them."""
    [one] = documents([row])
    return one


def _document(row: TeamChat, last: Any) -> dict[str, Any]:
    return {
        "number": row.pk,
        "name": row.name,
        "service": chat_addresses.kind(row.address) if row.active else None,
        "language": row.spoken,
        "own_language": bool(row.language),
        "active": row.active,
        "last_message": {"status": last.status, "at": last.created_at.isoformat()} if last else None,
    }
