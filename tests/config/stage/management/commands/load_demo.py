"""A demo that loads at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tenants.models import Group


class Command(BaseCommand):
    """Makes one empty group, and fails if there is one already."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the product asks of the real one."""
        parser.add_argument("--no-welcome", action="store_true")

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Make the group."""
        Group.objects.create(slug="stage", name="Stage")
        self.stdout.write("The demo is loaded.")
