"""manage.py webhook: who is told of a group's events."""

import json
from typing import Annotated

import typer
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import TyperCommand, command
from rich.console import Console
from rich.table import Table

from config.access import SYSTEM
from governance import events, webhooks
from governance.models import WebhookSubscription
from tenants.models import Group

GroupOption = Annotated[str, typer.Option(help="The group's slug.")]


class Command(TyperCommand):
    """Subscribes addresses to the CloudEvents of a group, lists, tests and ends them."""

    help = "Webhooks for the event plugin.version.policy.alert: add, list, test, remove."

    @command()
    def add(
        self,
        group: GroupOption,
        name: Annotated[str, typer.Option(help="What the subscription is called.")],
        url: Annotated[str, typer.Option(help="Where the events go.")],
    ) -> None:
        """Subscribe an address; prints the secret that signs the events (Standard Webhooks), once."""
        try:
            secret = webhooks.subscribe(
                self._group(group), name=name, url=url, actor=SYSTEM, at=timezone.now()
            )
        except webhooks.WebhookRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(secret)

    @command(name="list")
    def show(
        self,
        group: GroupOption,
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """List the subscriptions, without their secrets."""
        fields = ("name", "url", "active", "created_at")
        subscriptions = WebhookSubscription.objects.filter(group=self._group(group)).order_by("name")
        rows = list(subscriptions.values(*fields))
        if as_json:
            self.stdout.write(json.dumps(rows, default=str, indent=2))
            return
        table = Table(*(field.replace("_", " ") for field in fields))
        for row in rows:
            table.add_row(*(str(row[field]) for field in fields))
        Console().print(table)

    @command()
    def test(
        self, group: GroupOption, name: Annotated[str, typer.Option(help="The subscription's name.")]
    ) -> None:
        """Send it an event, to see whether it arrives; `delivery list` names it if it doesn't."""
        found = WebhookSubscription.objects.filter(group=self._group(group), name=name, active=True)
        subscription = found.select_related("group").first()
        if subscription is None:
            raise CommandError(f"The group {group} has no subscription {name}.")
        events.post_test(subscription, at=timezone.now())
        self.stdout.write(f"An event for {name} is on its way.")

    @command()
    def remove(
        self, group: GroupOption, name: Annotated[str, typer.Option(help="The subscription's name.")]
    ) -> None:
        """End a subscription."""
        if not webhooks.unsubscribe(self._group(group), name=name, actor=SYSTEM, at=timezone.now()):
            raise CommandError(f"The group {group} has no subscription {name}.")
        self.stdout.write(f"{name} is told nothing any more.")

    def _group(self, slug: str) -> Group:
        found = Group.objects.filter(slug=slug).first()
        if found is None:
            raise CommandError(f"There is no group {slug}.")
        return found
