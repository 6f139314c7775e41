"""manage.py database."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import postgres
from config.embedded import place, superuser
from config.env import database_url


class Command(BaseCommand):
    """Minds the embedded PostgreSQL by hand; every other command starts it by itself."""

    requires_system_checks: list[str] = []  # nothing of the product is needed for it
    help = "Start, stop or look at the embedded PostgreSQL, or open its shell."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", choices=["start", "stop", "status", "shell"])

    def handle(self, *_args: Any, action: str, **_options: Any) -> None:
        """Do it. `status` has the exit code 3 if the server doesn't run, as service managers have it."""
        if database_url():
            raise CommandError("DATABASE_URL names a database of your own; the embedded one isn't used.")
        getattr(self, action)()

    def start(self) -> None:
        """Start the server and leave it running."""
        server = postgres.ensure_running(settings.DATA_DIR)
        self.stdout.write(f"The embedded PostgreSQL runs on port {server.port}, process {server.pid}.")

    def stop(self) -> None:
        """Stop the server."""
        stopped = postgres.stop(settings.DATA_DIR)
        self.stdout.write("It has stopped." if stopped else "It wasn't running.")

    def status(self) -> None:
        """Say whether the server runs."""
        server = postgres.status(settings.DATA_DIR)
        if server is None:
            raise CommandError("The embedded PostgreSQL isn't running.", returncode=3)
        self.stdout.write(f"It runs on port {server.port}, process {server.pid}, files in {server.cluster}.")

    def shell(self) -> None:
        """Become psql."""
        server = postgres.ensure_running(settings.DATA_DIR)
        psql = place.installed() / "bin" / "psql"
        database = settings.DATABASES["default"]["NAME"]
        arguments = ["-h", superuser.HOST, "-p", str(server.port), "-U", superuser.OWNER, database]
        os.execve(psql, [str(psql), *arguments], {**os.environ, "PGPASSWORD": server.password})
