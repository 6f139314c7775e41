"""manage.py token: service tokens of a group."""

import json
from datetime import timedelta
from typing import Annotated

import typer
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import TyperCommand, command
from rich.console import Console
from rich.table import Table

from config.access import SYSTEM, Permission
from tenants import reach
from tenants.models import Group, ServiceToken


class Command(TyperCommand):
    """Issues, lists and revokes the tokens that services use."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = "Service tokens: issue, list, revoke."

    @command()
    def issue(
        self,
        group: Annotated[str, typer.Option(help="The group's slug.")],
        name: Annotated[str, typer.Option(help="What the ledger calls the service.")],
        scope: Annotated[list[Permission], typer.Option(help="What it may do; may be given again.")],
        days: Annotated[int | None, typer.Option(help="Days until it expires; never by default.")] = None,
    ) -> None:
        """Issue a token, in the place of one of the same name; its secret is shown once, here."""
        at = timezone.now()
        secret = reach.issue_token(
            self._group(group),
            name=name,
            scopes=scope,
            actor=SYSTEM,
            at=at,
            expires_at=at + timedelta(days=days) if days else None,
        )
        self.stdout.write(secret)

    @command(name="list")
    def show(
        self,
        group: Annotated[str, typer.Option(help="The group's slug.")],
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """List a group's tokens, without their secrets."""
        fields = ("name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
        rows = list(ServiceToken.objects.filter(group=self._group(group)).order_by("name").values(*fields))
        if as_json:
            self.stdout.write(json.dumps(rows, default=str, indent=2))
            return
        table = Table(*(field.replace("_", " ") for field in fields))
        for row in rows:
            table.add_row(*(str(row[field] or "") for field in fields))
        Console().print(table)

    @command()
    def revoke(
        self,
        group: Annotated[str, typer.Option(help="The group's slug.")],
        name: Annotated[str, typer.Option(help="The token's name.")],
    ) -> None:
        """Make a token worthless at once."""
        if not reach.revoke_token(self._group(group), name=name, actor=SYSTEM, at=timezone.now()):
            raise CommandError(f"There is no valid token {name} in the group {group}.")
        self.stdout.write(f"{name} is revoked.")

    def _group(self, slug: str) -> Group:
        found = Group.objects.filter(slug=slug).first()
        if found is None:
            raise CommandError(f"There is no group {slug}.")
        return found
