"""Who can't be told, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Count, Max, Q

from audit.models import OutboxMessage
from audit.models.outbox import Destination
from config.access import Access, Permission
from governance.models import Finding, Policy
from tenants import masking, preferences
from tenants.models import (
    Channel,
    DirectorySync,
    Membership,
    Origin,
    PolicyOwner,
    Role,
    TeamChat,
    Tenant,
    User,
)

_STALE = timedelta(days=1)
_MOST = 50  # tenants without anybody that stand in a line of their own


class Kind(StrEnum):
    """What is the matter."""

    LDAP = "LDAP"
    NOBODY = "Nobody responsible"
    DISABLED = "Disabled"
    NO_ADDRESS = "No address"
    RETURNED = "Can’t be delivered"
    NO_REACH = "Out of reach"
    UNMATCHED = "No such tenant"


@dataclass(frozen=True, slots=True)
class Unreached:
    """One problem. `link` names the page where something can be done, `pk` whose it is."""

    kind: Kind
    about: str
    says: str
    todo: str
    link: str = ""
    pk: int | None = None
    query: str = ""


class Receiver(NamedTuple):
    """To whom a message goes: an address, or a chat, that of a person or a team, by their number."""

    destination: str
    address: str
    person: int | None
    team: int | None


def found(access: Access, *, at: datetime) -> list[Unreached]:
    """The group's problems, the gravest first; only for those who reach the whole group."""
    if not access.whole_group:
        return []
    lost = _lost(access)
    return [
        *_ldap(access, at),
        *_nobody(access),
        *_disabled(access),
        *_without_address(access),
        *_returned(access, lost),
        *_deaf_chats(access, lost),
        *_out_of_reach(access),
        *_unmatched(access),
    ]


def _ldap(access: Access, at: datetime) -> Iterator[Unreached]:
    sync = DirectorySync.objects.filter(group_id=access.group_id).first()
    if sync is None:
        return
    since = f"{sync.succeeded_at:%-d %B %Y}" if sync.succeeded_at else "it was set up"
    if sync.problem:
        says = f"{sync.problem} What it gave before stands as it was since {since}."
        yield Unreached(Kind.LDAP, "LDAP", says, "See to it; the next look comes by itself.")
    elif sync.succeeded_at and at - sync.succeeded_at > _STALE:
        says = f"Nobody has looked into it since {since}."
        yield Unreached(
            Kind.LDAP, "LDAP", says, "See whether a worker runs, and the part “ldap” of the file."
        )


def _nobody(access: Access) -> Iterator[Unreached]:
    answering = Membership.objects.valid().within(access).filter(role=Role.TENANT_ADMIN)
    drifting = Finding.objects.within(access).asking().filter(tenant__active=True)
    alone = drifting.exclude(tenant__in=answering.values("tenant")).order_by().values("tenant")
    counted = alone.annotate(count=Count("pk")).order_by("-count", "tenant")
    rows = list(counted.values_list("tenant", "count")[: _MOST + 1])
    tenants = Tenant.objects.in_bulk([pk for pk, _ in rows])
    for pk, count in rows[:_MOST]:
        says = f"{count:,} finding{'' if count == 1 else 's'} and nobody who is told of them but the owners."
        yield Unreached(
            Kind.NOBODY, tenants[pk].key, says, "Name somebody responsible.", "directory_tenant", pk
        )
    if len(rows) > _MOST:
        left = counted.count() - _MOST
        more = f"{left:,} more tenant{'' if left == 1 else 's'} in drift"
        says = "Fewer findings each, and nobody who is told of them but the owners."
        todo = "See all tenants without anybody."
        yield Unreached(Kind.NOBODY, more, says, todo, "directory_list", query="?responsible=nobody")


def _disabled(access: Access) -> Iterator[Unreached]:
    listed = User.objects.filter(listed__group=access.group_id, listed__disabled=True)
    rows = Membership.objects.within(access).filter(Q(user__is_active=False) | Q(user__in=listed))
    for row in rows.select_related("user", "tenant").order_by("user__username", "pk"):
        where = "the directory" if row.user.is_active else "Plumbline"
        what = f"responsible for {row.tenant}" if row.tenant else f"{row.get_role_display().lower()} here"
        says = f"Disabled in {where}, and still {what} ({Origin(row.origin).label.lower()})."
        todo = "Name somebody else and end this where it comes from, or enable them."
        link, pk = ("directory_tenant", row.tenant_id) if row.tenant else ("person_detail", row.user_id)
        yield Unreached(Kind.DISABLED, str(row.user), says, todo, link, pk)


def _without_address(access: Access) -> Iterator[Unreached]:
    members = Membership.objects.valid().within(access)
    people = User.objects.filter(pk__in=members.values("user"), email="").order_by("username")
    wanted = preferences.of_people(user.pk for user in people)
    for user in people:
        chosen = wanted[user.pk].channels
        if Channel.EMAIL in chosen:
            others = [Channel(one).label.lower() for one in chosen if one != Channel.EMAIL]
            still = f"Told only by: {', '.join(others)}." if others else "Told by nothing else."
            says = f"Wants e-mail, and no address is known. {still}"
            todo = "Enter the address, here or where the person comes from, the directory file or LDAP."
            yield Unreached(Kind.NO_ADDRESS, str(user), says, todo, "person_detail", user.pk)


def _returned(access: Access, lost: Mapping[Receiver, int]) -> Iterator[Unreached]:
    """Addresses from which the newest message came back."""
    mails = {one.address: count for one, count in lost.items() if one.destination == Destination.EMAIL}
    members = User.objects.filter(memberships__group=access.group_id, email__in=mails)
    people = {user.email: user for user in members.distinct()}
    for address, count in mails.items():
        if (person := people.get(address)) is not None:
            where = address if access.allows(Permission.GROUP_ADMINISTER) else masking.address(address)
            says = f"{_messages(count)} to {where} given up."
            todo = "Correct the address, then retry the messages under Deliveries."
            yield Unreached(Kind.RETURNED, str(person), says, todo, "person_detail", person.pk)


def _deaf_chats(access: Access, lost: Mapping[Receiver, int]) -> Iterator[Unreached]:
    """Chats in use, people's own and the teams', whose newest message was given up."""
    own = {one.person: count for one, count in lost.items() if one.person}
    wanting = User.objects.filter(preferences__channels__contains=[Channel.CHAT], pk__in=own)
    for user in wanting.filter(memberships__group=access.group_id).distinct().order_by("username"):
        says = f"{_messages(own[user.pk])} to their chat given up."
        todo = "Ask them to enter its address anew, then retry the messages under Deliveries."
        yield Unreached(Kind.RETURNED, str(user), says, todo, "person_detail", user.pk)
    teams = {one.team: count for one, count in lost.items() if one.team}
    link = "chat_list" if access.allows(Permission.GROUP_ADMINISTER) else ""
    for chat in TeamChat.objects.filter(group=access.group_id, active=True, pk__in=teams).order_by("name"):
        says = f"{_messages(teams[chat.pk])} given up."
        todo = "See to its address and the service, then retry the messages under Deliveries."
        yield Unreached(Kind.RETURNED, f"Team chat {chat.name}", says, todo, link)


def _lost(access: Access) -> dict[Receiver, int]:
    """How many messages were given up to each whom none reached that was written later."""
    by = ("destination", "address", "payload__person", "payload__team")
    toward = (Destination.EMAIL, Destination.CHAT)
    sent = OutboxMessage.objects.within(access).filter(destination__in=toward).order_by()
    given_up = sent.given_up().values_list(*by).annotate(count=Count("pk"), last=Max("created_at"))
    dead = {Receiver(*row[:4]): row[4:] for row in given_up.order_by("address", "destination")}
    through = sent.filter(delivered_at__isnull=False, address__in={one.address for one in dead})
    newest = {Receiver(*row[:4]): row[4] for row in through.values_list(*by).annotate(last=Max("created_at"))}
    return {one: count for one, (count, last) in dead.items() if not (one in newest and newest[one] > last)}


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _out_of_reach(access: Access) -> Iterator[Unreached]:
    wide = Membership.objects.valid().within(access).exclude(role=Role.TENANT_ADMIN)
    policies = dict(Policy.objects.within(access).in_force().values_list("name", "pk"))
    rows = PolicyOwner.objects.within(access).exclude(user__in=wide.values("user"))
    for row in rows.select_related("user").order_by("policy", "user__username"):
        says = f"Responsible for the policy {row.policy}, with no role that reaches the group: told nothing."
        link = "directory_policy" if row.policy in policies else ""
        todo = "Give the person such a role, or name somebody else."
        yield Unreached(Kind.NO_REACH, str(row.user), says, todo, link, policies.get(row.policy))


def _unmatched(access: Access) -> Iterator[Unreached]:
    sync = DirectorySync.objects.filter(group_id=access.group_id).first()
    for told in sync.unmatched if sync else []:
        todo = "Correct the name in LDAP, or add the tenant."
        yield Unreached(Kind.UNMATCHED, "LDAP", f"{told}: there is no such tenant or person here.", todo)
