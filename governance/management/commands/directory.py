"""manage.py directory: who is responsible for what, and what LDAP says of it."""

from collections.abc import Callable
from typing import Annotated

import typer
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance import directories
from governance.cli.output import Exit, Output, end, operator
from governance.directories import NoLdap
from tenants import directory
from tenants.ldap import LdapFailure
from tenants.models import Group, PolicyOwner, Tenant
from tenants.rosters import Change, RosterRefused

GroupOption = Annotated[str, typer.Option(help="The group's slug.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


class Command(TyperCommand):
    """Shows who is responsible, what LDAP would change, and takes it over."""

    help = "Who is responsible for what: show, preview what LDAP would change, sync."

    @command()
    def show(self, group: GroupOption, as_json: JsonOption = False) -> None:
        """List who is responsible for the group's tenants and policies."""
        found = _group(group)
        tenants = dict(Tenant.objects.active().filter(group=found).order_by("key").values_list("pk", "key"))
        admins = directory.admins_of(tenants)
        owned: dict[str, list[str]] = {}
        for owner in PolicyOwner.objects.filter(group=found).select_related("user").order_by("policy", "pk"):
            owned.setdefault(owner.policy, []).append(owner.user.username)
        answer = {
            "tenants": {key: [user.username for user in admins.get(pk, [])] for pk, key in tenants.items()},
            "policies": owned,
        }
        out = Output(self.stdout.write, as_json=as_json)

        def tell() -> None:
            for noun, rows in answer.items():
                for name, people in rows.items():
                    out.say(f"{noun.removesuffix('s')} {name}: {', '.join(people) or 'nobody'}")

        out.answer(answer, tell)

    @command()
    def preview(self, group: GroupOption, as_json: JsonOption = False) -> None:
        """Say what taking over LDAP would change; ends with 3 if anything."""
        found = _group(group)
        change = _asked(lambda: directories.preview(found))
        _tell(Output(self.stdout.write, as_json=as_json), change, "Taking it over would change nothing.")
        if change:
            end(Exit.DIFFERENT)

    @command()
    def sync(
        self,
        group: GroupOption,
        as_json: JsonOption = False,
        shrink: Annotated[bool, typer.Option(help="Also where most of what LDAP gave would go.")] = False,
    ) -> None:
        """Take over what LDAP says, in one transaction."""
        found = _group(group)
        change = _asked(lambda: directories.sync(found, actor=operator(), at=timezone.now(), shrink=shrink))
        _tell(Output(self.stdout.write, as_json=as_json), change, "It is as LDAP says; nothing has changed.")


def _group(slug: str) -> Group:
    found = Group.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no group {slug}.")
    return found


def _asked(ask: Callable[[], Change]) -> Change:
    try:
        return ask()
    except (NoLdap, LdapFailure, RosterRefused) as failure:
        raise CommandError(str(failure)) from None


def _tell(out: Output, change: Change, nothing: str) -> None:
    def tell() -> None:
        for line in change.lines() or [nothing]:
            out.say(line)
        for grant in change.unmatched:
            out.say(f"left out, since there is no such tenant or person here: {grant}", "yellow")

    out.answer(change.as_json(), tell)
