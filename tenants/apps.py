"""Django's handle on this package."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """The tenants package."""

    name = "tenants"
