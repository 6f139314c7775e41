"""Django's handle on this package."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit package."""

    name = "audit"
