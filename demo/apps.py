"""The demo groups, made of real facts."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Has no models; loads the demo groups."""

    name = "demo"
    verbose_name = "Demo"
