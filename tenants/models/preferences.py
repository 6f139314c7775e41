"""How a person wants to be told."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenants.models.language import Language
from tenants.models.user import User


class Channel(models.TextChoices):
    """By what a message reaches a person."""

    IN_APP = "in_app", "In the console"
    EMAIL = "email", "E-mail"
    CHAT = "chat", "Chat"


def usual_channels() -> list[str]:
    """The channels of somebody who has chosen none."""
    return [Channel.IN_APP.value, Channel.EMAIL.value]


class Preferences(models.Model):
    """How one person is told, in all their groups; who has no row has the defaults.

    `chat` holds the person's own address in apprise's notation, with its secrets: it is read where a message
    is sent, and never shown. Quiet hours may run over midnight.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preferences")
    language = models.CharField(max_length=8, choices=Language, default=Language.ENGLISH)
    time_zone = models.CharField(max_length=64, default="UTC")  # as in the IANA database
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    channels = ArrayField(models.CharField(max_length=8, choices=Channel), default=usual_channels)
    chat = models.TextField(null=True, blank=True)

    class Meta:
        verbose_name = "preferences"
        verbose_name_plural = "preferences"
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preferences_quiet_hours_whole",
                violation_error_message="Quiet hours need a beginning and an end.",
            ),
            models.CheckConstraint(
                condition=~Q(channels=[]),
                name="preferences_some_channel",
                violation_error_message="Choose at least one channel.",
            ),
            models.CheckConstraint(
                condition=~Q(channels__contains=[Channel.CHAT]) | Q(chat__isnull=False),
                name="preferences_chat_has_address",
                violation_error_message="Chat needs an address.",
            ),
        ]

    def __str__(self) -> str:
        return f"preferences of {self.user}"
