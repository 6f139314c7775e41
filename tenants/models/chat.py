"""A team's chat."""

from __future__ import annotations

from typing import Self

from django.db import models

from config.access import Access
from tenants.models.group import Group
from tenants.models.language import Language


class TeamChatQuerySet(models.QuerySet["TeamChat"]):
    """Reads of team chats."""

    def within(self, access: Access) -> Self:
        """The group's, none for someone who reaches only some tenants."""
        return self.filter(group_id=access.group_id) if access.whole_group else self.none()


class TeamChat(models.Model):
    """A chat that is told what needs a group's attention.

    `address` is in apprise's notation and holds secrets: it is read where a message is sent, and never shown.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="chats")
    name = models.CharField(max_length=100)
    address = models.TextField()
    language = models.CharField(max_length=8, choices=Language, blank=True)  # empty: its group's
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamChatQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="team_chat_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def spoken(self) -> str:
        """The language that it is told in."""
        return self.language or self.group.language
