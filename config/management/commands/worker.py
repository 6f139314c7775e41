"""manage.py worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.worker import work


class Command(BaseCommand):
    """Does background work until it is told to stop."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = "Do background work until told to stop by SIGTERM or Ctrl-C."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Work; a worker that gives up says so by its exit code."""
        if not work():
            raise CommandError("The worker gave up; its log says why. Start it again.")
