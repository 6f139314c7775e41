"""Django's handle on this package."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """The governance package."""

    name = "governance"
