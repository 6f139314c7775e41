"""manage.py load_demo: the demo groups."""

import json
from typing import Annotated

import typer
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import TyperCommand
from rich.console import Console
from rich.status import Status

from demo import accounts, loading


class Command(TyperCommand):
    """Loads the demo groups; what is there already stays, and a load that was cut off goes on."""

    help = "Load the demo groups: the Eclipse fleet on the Jenkins catalogue, and the scenario tenants."

    def handle(
        self,
        only: Annotated[str | None, typer.Option(help="Only this group: eclipse or powerx.")] = None,
        welcome: Annotated[bool, typer.Option(help="Say how its people sign in.")] = True,
        as_json: Annotated[bool, typer.Option("--json", help="What was loaded, as JSON.")] = False,
    ) -> None:
        """Load them."""
        if only is not None and only not in loading.SLUGS:
            raise CommandError(f"There is no demo group {only}; there are {', '.join(loading.SLUGS)}.")
        call_command("migrate", interactive=False, verbosity=0)  # it may be the first thing that is done here
        console = Console(stderr=True)
        loaded = {}
        for slug in [only] if only else loading.SLUGS:
            with console.status(f"Loading {slug} …") as status:
                loaded[slug] = loading.load(slug, at=timezone.now(), tell=_teller(slug, status))
        if as_json:
            self.stdout.write(json.dumps(loaded, indent=2))
            return
        for slug, counts in loaded.items():
            self.stdout.write(
                f"{slug}: "
                + ", ".join(f"{count:,} {name}" for name, count in counts.items() if name != "seconds")
            )
        if welcome:
            self.stdout.write("\n".join(accounts.welcome()))


def _teller(slug: str, status: Status) -> loading.Tell:
    return lambda what: status.update(f"Loading {slug}: {what}")
