"""The platform that the other packages stand on."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Has no models; brings the system checks and the commands of the platform."""

    name = "config"
    verbose_name = "Plumbline"

    def ready(self) -> None:
        """Register the system checks."""
        from config import checks  # noqa: F401 (importing registers them)
