"""manage.py directory: who is responsible for what, and what LDAP says of it."""

from collections.abc import Callable
from typing import Annotated

import typer
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance import directories
from governance.cli import people
from governance.cli.output import Exit, ExitCodes, Output, end, operator
from governance.directories import NoLdap
from tenants import directory
from tenants.ldap import LdapFailure
from tenants.models import Group, PolicyOwner, Tenant
from tenants.rosters import Change, RosterRefused

GroupOption = Annotated[str, typer.Option(help="The group's slug.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
TenantOption = Annotated[str, typer.Option(help="The tenant, by its key.")]
PolicyOption = Annotated[str, typer.Option(help="Or the policy, by its name.")]


class Command(ExitCodes, TyperCommand):
    """Shows who is responsible, what LDAP would change, and takes it over; and what owners do by hand."""

    help = "Who is responsible for what: show, preview what LDAP would change, sync; and the people."

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
                for name, answering in rows.items():
                    out.say(f"{noun.removesuffix('s')} {name}: {', '.join(answering) or 'nobody'}")

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

    @command()
    def people(self, group: GroupOption, as_json: JsonOption = False) -> None:
        """List the group's people, what they are and answer for, and who stands in for them."""
        out = Output(self.stdout.write, as_json=as_json)
        people.show(out, _group(group))

    @command()
    def deputy(
        self,
        person: str,
        deputy: str,
        group: GroupOption,
        first: Annotated[str, typer.Option("--from", help="The first day, like 2030-12-20.")],
        last: Annotated[str, typer.Option("--until", help="The last day, included.")],
        as_json: JsonOption = False,
    ) -> None:
        """Let somebody stand in for a person who is away. Both are told."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            days = {"first": first, "last": last}
            people.appoint(out, _group(group), person, deputy, **days, at=timezone.now())

    @command()
    def dismiss(self, number: int, group: GroupOption, as_json: JsonOption = False) -> None:
        """Let a deputy stand in no more, by the number that `people` gives. Both are told."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            people.dismiss(out, _group(group), number, at=timezone.now())

    @command()
    def address(
        self,
        person: str,
        group: GroupOption,
        email: Annotated[str, typer.Argument(help="Left out: no mail is sent to them.")] = "",
        as_json: JsonOption = False,
    ) -> None:
        """Mend a person's e-mail address."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            people.address(out, _group(group), person, email, at=timezone.now())

    @command()
    def enable(self, person: str, group: GroupOption, as_json: JsonOption = False) -> None:
        """Let somebody reach the group again whom LDAP had disabled before it was given up."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            people.enable(out, _group(group), person, at=timezone.now())

    @command()
    def name(
        self,
        person: str,
        group: GroupOption,
        tenant: TenantOption = "",
        policy: PolicyOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Let somebody answer for a tenant, whose tenant admin they become, or for a policy."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            people.name(out, _group(group), person, tenant=tenant, policy=policy, at=timezone.now())

    @command()
    def unname(
        self,
        person: str,
        group: GroupOption,
        tenant: TenantOption = "",
        policy: PolicyOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Let somebody answer for it no more, as far as that was said by hand."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            people.unname(out, _group(group), person, tenant=tenant, policy=policy, at=timezone.now())


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
