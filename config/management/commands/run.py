"""manage.py run."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from config import launch
from config.supervisor import interruptible, supervise


class Command(BaseCommand):
    """Runs the whole product on this machine."""

    help = "Run web, worker, sandbox orchestrator and, without DATABASE_URL, the embedded PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address can be chosen."""
        parser.add_argument("--port", type=int, default=settings.PORT, help="where the console listens")

    def handle(self, *_args: Any, port: int, **_options: Any) -> None:
        """Prepare, start, keep running until Ctrl-C or SIGTERM, and stop everything again."""
        interruptible()
        launch.refuse_taken(settings.HOST, port, chosen_by="--port or PLUMBLINE_PORT")
        if settings.USES_SANDBOX:
            launch.refuse_taken("127.0.0.1", settings.SANDBOX_PORT, chosen_by="PLUMBLINE_SANDBOX_PORT")
        try:
            with launch.only_one(settings.DATA_DIR), launch.guarded_database(settings.DATA_DIR):
                self.stdout.write("Preparing the database ...")
                launch.prepare()
                turn = Turn(self, port)
                supervise(launch.services(port), each_turn=turn.take)
        except KeyboardInterrupt:
            pass  # asked to stop while still preparing
        self.stdout.write("Plumbline has stopped.")


class Turn:
    """What there is to do besides the services: above all, to tell the address once the console answers."""

    def __init__(self, command: BaseCommand, port: int) -> None:
        self.command = command
        self.port = port
        self.told = False

    def take(self) -> None:
        """To be called again and again."""
        launch.keep_database()
        if self.told or not launch.answers(self.port):
            return
        self.told = True
        address = settings.BASE_URL if self.port == settings.PORT else f"http://127.0.0.1:{self.port}"
        lines = [
            f"Plumbline runs at {address}",
            *import_string(settings.WELCOME)(),
            f"Logs are in {settings.DATA_DIR / 'logs'}. Ctrl-C stops it.",
        ]
        self.command.stdout.write("\n".join(["", *lines, ""]))
        self.command.stdout.flush()
