"""directory people, deputy, dismiss, address, enable, name, unname."""

from __future__ import annotations

from datetime import date, datetime

import typer
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from governance import directories, people, stand_ins
from governance.cli.output import Output, operator
from governance.forms.directory import NameForm
from governance.models import Policy
from tenants import groups, policy_owners
from tenants import people as members
from tenants.models import Deputy, Group, Membership, Origin, PolicyOwner, Role, Tenant, User


def show(out: Output, group: Group) -> None:
    """Everybody with a role."""
    rows = User.objects.filter(memberships__group=group).distinct()
    documents = people.told(group, rows.order_by("username"))
    listed = [[one["person"], one["email"], _roles(one)] for one in documents]
    standing = [
        [row["number"], row["deputy"], row["person"], row["starts_on"], row["ends_on"]]
        for one in documents
        for row in one["deputies"]
    ]

    def tell() -> None:
        out.table(f"People of {group}", ("person", "e-mail", "is"), listed)
        out.table("Deputies", ("number", "deputy", "for", "from", "until"), standing)

    out.answer({"people": documents}, tell)


def appoint(
    out: Output, group: Group, person: str, deputy: str, *, first: str, last: str, at: datetime
) -> None:
    """Let somebody stand in."""
    days = {"starts_on": _day(first), "ends_on": _day(last)}
    row = stand_ins.appoint(group, _person(group, person), deputy, **days, actor=operator(), at=at)
    told = f"{deputy} stands in for {person} from {row.starts_on} to {row.ends_on}: number {row.pk}."
    out.answer(people.deputy(row), lambda: out.say(f"{told} Both are told."))


def dismiss(out: Output, group: Group, number: int, *, at: datetime) -> None:
    """Let somebody stand in no more."""
    rows = Deputy.objects.filter(group=group, pk=number).select_related("group", "person", "deputy")
    row = rows.first()
    if row is None:
        raise typer.BadParameter(f"{group} has no deputy {number}; `directory people` lists them.")
    document = people.deputy(row)
    told = stand_ins.end(row, actor=operator(), at=at)
    said = f"{row.deputy} no longer stands in for {row.person}."
    out.answer(document, lambda: out.say(f"{said} Both are told." if told else said))


def address(out: Output, group: Group, person: str, email: str, *, at: datetime) -> None:
    """Send somebody's mail elsewhere."""
    found = _person(group, person)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise typer.BadParameter(f"“{email}” is no e-mail address.") from None
    members.change_address(group, found, email, actor=operator(), at=at)
    out.answer(_told(group, found), lambda: out.say(f"Mail to {person} goes to {email or 'nowhere'}."))


def enable(out: Output, group: Group, person: str, *, at: datetime) -> None:
    """Let somebody reach the group again."""
    found = _person(group, person)
    enabled = directories.enable(group, found, actor=operator(), at=at)
    said = f"{person} reaches the group again." if enabled else f"{person} wasn’t disabled here."
    out.answer(_told(group, found), lambda: out.say(said))


def name(out: Output, group: Group, person: str, *, tenant: str, policy: str, at: datetime) -> None:
    """Let somebody answer for a tenant or a policy."""
    _one_of(tenant, policy)
    form = NameForm({"person": person})
    if not form.is_valid():
        raise typer.BadParameter(" ".join(map(str, form.errors["person"])))
    found: User = form.cleaned_data["person"]
    if tenant:
        of = _tenant(group, tenant)
        groups.add_member(group, found, Role.TENANT_ADMIN, tenant=of, actor=operator(), at=at)
    else:
        policy_owners.name(group, found, _policy(group, policy), actor=operator(), at=at)
    out.answer(_told(group, found), lambda: out.say(f"{person} is responsible for {tenant or policy}."))


def unname(out: Output, group: Group, person: str, *, tenant: str, policy: str, at: datetime) -> None:
    """Let somebody answer for it no more, as far as that was said by hand."""
    _one_of(tenant, policy)
    mine = {"group": group, "user__username": person, "origin": Origin.HAND}
    none = f"{person} isn’t responsible for {tenant or policy} by hand; `directory people` lists who is."
    if tenant:
        admins = Membership.objects.filter(**mine, role=Role.TENANT_ADMIN, tenant__key=tenant)
        admin = admins.select_related("user", "group", "tenant").first()
        if admin is None:
            raise typer.BadParameter(none)
        groups.remove_member(admin, actor=operator(), at=at)
    else:
        owner = PolicyOwner.objects.filter(**mine, policy=policy).select_related("user").first()
        if owner is None:
            raise typer.BadParameter(none)
        policy_owners.end(owner, actor=operator(), at=at)
    document = {"person": person, **({"tenant": tenant} if tenant else {"policy": policy}), "ended": True}
    out.answer(
        document, lambda: out.say(f"{person} is no longer responsible for {tenant or policy} by hand.")
    )


def _roles(document: dict[str, list[dict[str, str | None]]]) -> str:
    held = (
        f"{one['role']} of {one['tenant']}" if one["tenant"] else one["role"] for one in document["roles"]
    )
    answers = (f"answers for {one['policy']}" for one in document["policies"])
    return ", ".join(dict.fromkeys(str(said) for said in (*held, *answers)))


def _told(group: Group, person: User) -> dict[str, object]:
    [told] = people.told(group, [person])
    return told


def _person(group: Group, username: str) -> User:
    found = User.objects.filter(memberships__group=group, username=username).first()
    if found is None:
        raise typer.BadParameter(f"Nobody called “{username}” has a role in {group}.")
    return found


def _tenant(group: Group, key: str) -> Tenant:
    found = Tenant.objects.filter(group=group, key=key).first()
    if found is None:
        raise typer.BadParameter(f"{group} has no tenant {key}.")
    return found


def _policy(group: Group, name: str) -> str:
    if not Policy.objects.filter(group=group, name=name).in_force().exists():
        raise typer.BadParameter(f"{group} has no policy {name} in force.")
    return name


def _one_of(tenant: str, policy: str) -> None:
    if bool(tenant) == bool(policy):
        raise typer.BadParameter("Name either --tenant or --policy.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is no day like 2030-12-20.") from None
