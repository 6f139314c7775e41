"""The people of a group: what they are in it, and what its owners may change of them.

Whoever else reads the group reads this too, without the names in addresses.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import directories, stand_ins
from governance.forms.people import AddressForm
from tenants import masking, people
from tenants.deputies import DeputyRefused
from tenants.forms.deputies import DeputyForm
from tenants.models import Deputy, DirectoryPerson, Group, Membership, PolicyOwner, User


@require_GET
@requires(Permission.GROUP_ADMINISTER, Permission.GROUP_VIEW)
def person_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody who has a role in the group."""
    owns = _owns(request)
    rows = listing(
        request,
        people.within(request.access),
        name="people",
        noun=("person", "people"),
        search=("username", "first_name", "last_name", *(["email"] if owns else [])),
        sorts={"person": ("username",), **({"address": ("email", "username")} if owns else {})},
        default="person",
    )
    roles: dict[int, list[Membership]] = {}
    found = Membership.objects.within(request.access).filter(user__in=[row.pk for row in rows.rows])
    for membership in found.select_related("tenant").order_by("role", "tenant__key", "pk"):
        roles.setdefault(membership.user_id, []).append(membership)
    off = _disabled(request)
    told = [
        (row, _address(request, row), _once(roles.get(row.pk, [])), row.pk in off or not row.is_active)
        for row in rows.rows
    ]
    return render_page(
        request,
        "governance/people/list.html",
        {"listing": rows, "people": told, "owns": owns},
        fragments={"people": "governance/people/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_ADMINISTER, Permission.GROUP_VIEW)
def person_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """One person."""
    person = _person(request, pk)
    return _page(request, person, AddressForm({"email": person.email}), DeputyForm())


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def person_address(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Mend a person's address."""
    person, form = _person(request, pk), AddressForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form, DeputyForm(), status=422)
    email, at = form.cleaned_data["email"], timezone.now()
    try:
        changed = people.change_address(_group(request), person, email, actor=request.actor, at=at)
    except people.AddressRefused as refusal:
        form.add_error("email", str(refusal))
        return _page(request, person, form, DeputyForm(), status=422)
    if changed:
        messages.success(request, f"Mail to {person} goes to {email or 'nowhere'} from now on.")
    else:
        messages.info(request, "That is the address already.")
    return redirect_to(request, "person_detail", person.pk)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def person_enable(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody reach the group again whom LDAP had disabled before it was given up."""
    person = _person(request, pk)
    try:
        enabled = directories.enable(_group(request), person, actor=request.actor, at=timezone.now())
    except directories.StillRead as refusal:
        messages.error(request, str(refusal))
    else:
        said = f"{person} reaches the group again." if enabled else f"{person} wasn’t disabled here."
        messages.success(request, said)
    return redirect_to(request, "person_detail", person.pk)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def person_deputy(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody stand in for a person who is away."""
    person, form = _person(request, pk), DeputyForm(request.POST)
    if form.is_valid():
        given, at = form.cleaned_data, timezone.now()
        days = {"starts_on": given["starts_on"], "ends_on": given["ends_on"]}
        try:
            row = stand_ins.appoint(
                _group(request), person, given["deputy"], **days, actor=request.actor, at=at
            )
        except DeputyRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, f"{row.deputy} stands in for {person}. Both are told.")
            return redirect_to(request, "person_detail", person.pk)
    return _page(request, person, AddressForm({"email": person.email}), form, status=422)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def person_deputy_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody stand in for the person no more."""
    person, number = _person(request, pk), request.POST.get("deputy", "")
    known = number if number.isascii() and number.isdigit() else 0
    rows = Deputy.objects.within(request.access).filter(person=person)
    row = get_object_or_404(rows.select_related("group", "person", "deputy"), pk=known)
    told = stand_ins.end(row, actor=request.actor, at=timezone.now())
    said = f"{row.deputy} no longer stands in for {person}."
    messages.success(request, f"{said} Both are told." if told else said)
    return redirect_to(request, "person_detail", person.pk)


def _page(
    request: ConsoleRequest, person: User, address: AddressForm, deputy: DeputyForm, status: int = 200
) -> HttpResponse:
    group, access = _group(request), request.access
    off = person.pk in _disabled(request)
    context: dict[str, Any] = {
        "person": person,
        "roles": Membership.objects.within(access)
        .filter(user=person)
        .select_related("tenant")
        .order_by("role", "tenant__key", "origin"),
        "policies": PolicyOwner.objects.within(access).filter(user=person).order_by("policy", "origin"),
        "deputies": Deputy.objects.within(access)
        .filter(person=person)
        .select_related("deputy")
        .order_by("starts_on", "pk"),
        "off": off,
        "reads_ldap": directories.reads_ldap(group),
        "address": _address(request, person),
        "owns": (owns := _owns(request)),
    }
    if owns:
        context |= {
            "fixed": people.fixed(group, person, request.actor),
            "address_form": address,
            "deputy_form": deputy,
            "offered": people.by_name(access, but=person.pk),
        }
    return render_page(request, "governance/people/detail.html", context, status=status)


def _once(memberships: list[Membership]) -> list[str]:
    """What somebody is, each said once from wherever it is known."""
    told = (
        f"{row.get_role_display()} of {row.tenant}" if row.tenant else row.get_role_display()
        for row in memberships
    )
    return list(dict.fromkeys(told))


def _owns(request: ConsoleRequest) -> bool:
    """Whether the reader may change any of it; who may not sees addresses without the names in them."""
    return request.access.allows(Permission.GROUP_ADMINISTER)


def _address(request: ConsoleRequest, person: User) -> str:
    return person.email if _owns(request) else masking.address(person.email)


def _disabled(request: ConsoleRequest) -> set[int]:
    rows = DirectoryPerson.objects.filter(group_id=request.access.group_id, disabled=True)
    return set(rows.values_list("user", flat=True))


def _person(request: ConsoleRequest, pk: int) -> User:
    return get_object_or_404(people.within(request.access), pk=pk)


def _group(request: ConsoleRequest) -> Group:
    return Group.objects.get(pk=request.access.group_id)
