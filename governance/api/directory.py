"""The people of a group and what they are responsible for, over REST."""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import directories, people, stand_ins
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.forms.directory import NameForm
from governance.models import Policy
from tenants import groups, policy_owners
from tenants import people as members
from tenants.deputies import DeputyRefused
from tenants.models import Deputy, Membership, Origin, PolicyOwner, Role, Tenant, User

Row = TypeVar("Row")


@endpoint(
    "GET",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="The people of the group",
    tag="directory",
)
def list_people(request: Request) -> Response:
    """Everybody with a role in it: what they are and answer for, from where that is known, and deputies."""
    rows = members.within(access_of(request)).order_by("username")
    return respond(Answer({"people": people.told(group_of(request), rows)}))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.DeputyBody,
    answers=bodies.Document,
    summary="Name a deputy",
    tag="directory",
)
def appoint_deputy(request: Request) -> Response:
    """Let somebody stand in for a person who is away, the last day included. Both are told."""
    body = valid(bodies.DeputyBody, request)

    def appoint() -> Answer:
        person = _person(request, body["person"])
        given = {"starts_on": body["starts_on"], "ends_on": body["ends_on"], "at": timezone.now()}
        try:
            row = stand_ins.appoint(
                group_of(request), person, body["deputy"], **given, actor=access_of(request).actor
            )
        except DeputyRefused as refusal:
            raise ValidationError({refusal.field: [str(refusal)]}) from refusal
        return Answer(people.deputy(row))

    return respond(once(request, "appoint-deputy", appoint))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="Dismiss a deputy",
    tag="directory",
)
def end_deputy(request: Request, number: int) -> Response:
    """Let somebody stand in no more. Both are told, unless it was over anyway."""

    def end() -> Answer:
        rows = Deputy.objects.within(access_of(request)).select_related("group", "person", "deputy")
        row = _found(rows.filter(pk=number).first())
        told = people.deputy(row)
        stand_ins.end(row, actor=access_of(request).actor, at=timezone.now())
        return Answer(told)

    return respond(once(request, f"end-deputy {number}", end))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.AddressBody,
    answers=bodies.Document,
    summary="Mend a person's address",
    tag="directory",
)
def change_address(request: Request) -> Response:
    """Send somebody's mail elsewhere, or nowhere; not of an account that isn't this group's alone."""
    body = valid(bodies.AddressBody, request)

    def change() -> Answer:
        person, actor = _person(request, body["person"]), access_of(request).actor
        members.change_address(group_of(request), person, body["email"], actor=actor, at=timezone.now())
        return Answer(_told(request, person))

    return respond(once(request, "change-address", change))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.PersonBody,
    answers=bodies.Document,
    summary="Enable whom LDAP left disabled",
    tag="directory",
)
def enable_person(request: Request) -> Response:
    """Let somebody reach the group again whom LDAP had disabled before it was given up."""
    body = valid(bodies.PersonBody, request)

    def enable() -> Answer:
        person, actor = _person(request, body["person"]), access_of(request).actor
        directories.enable(group_of(request), person, actor=actor, at=timezone.now())
        return Answer(_told(request, person))

    return respond(once(request, "enable-person", enable))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.ResponsibleBody,
    answers=bodies.Document,
    summary="Make somebody responsible",
    tag="directory",
)
def name_responsible(request: Request) -> Response:
    """Let somebody answer by hand for a tenant, whose tenant admin they become, or for a policy."""
    body = valid(bodies.ResponsibleBody, request)

    def name() -> Answer:
        form = NameForm({"person": body["person"]})
        if not form.is_valid():
            raise ValidationError({"person": list(map(str, form.errors["person"]))})
        person, group = form.cleaned_data["person"], group_of(request)
        by: dict[str, Any] = {"actor": access_of(request).actor, "at": timezone.now()}
        if "tenant" in body:
            tenant = _found(Tenant.objects.within(access_of(request)).filter(key=body["tenant"]).first())
            groups.add_member(group, person, Role.TENANT_ADMIN, tenant=tenant, **by)
        else:
            in_force = Policy.objects.within(access_of(request)).in_force()
            policy_owners.name(group, person, _found(in_force.filter(name=body["policy"]).first()).name, **by)
        return Answer(_told(request, person))

    return respond(once(request, "name-responsible", name))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.ResponsibleBody,
    answers=bodies.Document,
    summary="End somebody's responsibility",
    tag="directory",
)
def end_responsible(request: Request) -> Response:
    """Let somebody answer for it no more, as far as that was said by hand."""
    body = valid(bodies.ResponsibleBody, request)

    def end() -> Answer:
        by: dict[str, Any] = {"actor": access_of(request).actor, "at": timezone.now()}
        mine = {"user__username": body["person"], "origin": Origin.HAND}
        if "tenant" in body:
            admins = Membership.objects.within(access_of(request)).filter(role=Role.TENANT_ADMIN, **mine)
            rows = admins.select_related("user", "group", "tenant")
            groups.remove_member(_found(rows.filter(tenant__key=body["tenant"]).first()), **by)
        else:
            owners = PolicyOwner.objects.within(access_of(request)).select_related("user")
            policy_owners.end(_found(owners.filter(policy=body["policy"], **mine).first()), **by)
        return Answer({**body, "ended": True})

    return respond(once(request, "end-responsible", end))


def _person(request: Request, name: str) -> User:
    return _found(members.within(access_of(request)).filter(username=name).first())


def _told(request: Request, person: User) -> dict[str, Any]:
    [told] = people.told(group_of(request), [person])
    return told


def _found(row: Row | None) -> Row:
    if row is None:
        raise Http404
    return row
