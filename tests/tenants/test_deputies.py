"""Who stands in for whom, and what that can never come to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config import queue
from config.access import SYSTEM
from tenants import deputies, preferences
from tenants.deputies import DeputyRefused, stand_ins
from tenants.models import Deputy, DirectoryPerson, Origin, Role, User
from tenants.preferences import Wanted
from tests import factories
from tests.factories import AT, World

TODAY = AT.date()
PEOPLE = st.integers(1, 6)


def appoint(
    world: World, person: User, deputy: User, first: date = TODAY, last: date = TODAY + timedelta(days=7)
) -> Deputy:
    return deputies.appoint(
        world.group, person, deputy.username, starts_on=first, ends_on=last, actor=SYSTEM, at=AT
    )


@given(st.dictionaries(PEOPLE, st.lists(PEOPLE, max_size=4)), PEOPLE)
def test_following_deputies_ends_and_reaches_all_of_them_once(
    circle: dict[int, list[int]], person: int
) -> None:
    found = stand_ins(person, circle)
    assert len(found) == len(set(found))
    assert person not in found
    nearest = {deputy for known in (person, *found) for deputy in circle.get(known, [])}
    assert nearest - {person} == set(found)


def test_a_deputy_stands_in_on_the_first_and_the_last_day_by_the_clock_of_who_is_away(world: World) -> None:
    zone = Wanted("en", "Pacific/Auckland", ["email"])
    preferences.change(world.owner, zone, actor=SYSTEM, at=AT)
    appoint(world, world.owner, world.viewer, date(2026, 3, 5), date(2026, 3, 6))
    noon = AT.replace(hour=10, minute=59)  # 23:59 in Auckland
    asked = {day: deputies.standing(world.group.pk, at=noon.replace(day=day)) for day in (4, 5, 6, 7)}
    assert asked == {4: {}, 5: {world.owner.pk: [world.viewer.pk]}, 6: asked[5], 7: {}}
    began = deputies.standing(world.group.pk, at=noon.replace(day=4) + timedelta(minutes=1))
    assert began == asked[5]


def test_nobody_stands_in_for_themselves_twice_or_backwards(world: World) -> None:
    appoint(world, world.owner, world.viewer)
    for person, deputy, last, said in (
        (world.owner, world.owner, TODAY, "for themselves"),
        (world.owner, world.viewer, TODAY, "in that time already"),
        (world.viewer, world.tenant_admin, TODAY - timedelta(days=1), "before the first"),
    ):
        with pytest.raises(DeputyRefused, match=said):
            appoint(world, person, deputy, last=last)


def test_a_circle_is_refused_in_the_time_in_which_it_would_close(world: World) -> None:
    third = factories.member(world.group, "third", Role.EDITOR)
    appoint(world, world.owner, world.viewer)
    appoint(world, world.viewer, third)
    with pytest.raises(DeputyRefused, match="at least through others"):
        appoint(world, third, world.owner)
    later = TODAY + timedelta(days=30)
    appoint(world, third, world.owner, later, later)


def test_only_who_reaches_the_same_can_stand_in_and_nothing_else_is_given_away(world: World) -> None:
    other = factories.member(world.group, "b-admin", Role.TENANT_ADMIN, of=world.tenant_b)
    refusals = set()
    for name in (other.username, world.outsider.username, "nobody"):
        with pytest.raises(DeputyRefused) as refusal:
            deputies.appoint(
                world.group, world.tenant_admin, name, starts_on=TODAY, ends_on=TODAY, actor=SYSTEM, at=AT
            )
        refusals.add(str(refusal.value).replace(name, "…"))
    assert len(refusals) == 1
    appoint(world, world.tenant_admin, world.owner)
    appoint(world, world.owner, other)


def test_whom_the_directory_calls_disabled_cannot_stand_in(world: World) -> None:
    shared = {"group": world.group, "user": world.viewer, "origin": Origin.LDAP}
    DirectoryPerson.objects.create(**shared, disabled=True)
    with pytest.raises(DeputyRefused, match="nothing could be told"):
        appoint(world, world.owner, world.viewer)


def test_a_person_names_and_dismisses_a_deputy_on_the_own_page(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    form = {"deputy": "owner", "starts_on": "2026-03-02", "ends_on": "2026-03-09"}
    with time_machine.travel(AT, tick=False):
        assert client.post("/g/acme/preferences/deputy/", form).status_code == 303
        row = Deputy.objects.get()
        queue.run_pending()
        (message,) = OutboxMessage.objects.filter(destination=Destination.NOTIFY)
        (told,) = message.payload["recipients"]
        assert (told["user"], told["subject"]) == ("owner", "Acme: owner stands in for tenant-admin")
        assert "owner" in client.get("/g/acme/preferences/").content.decode()
        again = client.post("/g/acme/preferences/deputy/", form)
        assert (again.status_code, b"in that time already" in again.content) == (422, True)
        client.force_login(world.owner)
        assert "You stand in for tenant-admin" in client.get("/g/acme/preferences/").content.decode()
        assert client.post("/g/acme/preferences/deputy/end/", {"deputy": row.pk}).status_code == 404
        client.force_login(world.tenant_admin)
        assert client.post("/g/acme/preferences/deputy/end/", {"deputy": row.pk}).status_code == 303
        queue.run_pending()
    (dismissed,) = OutboxMessage.objects.filter(destination=Destination.NOTIFY).exclude(pk=message.pk)
    (told,) = dismissed.payload["recipients"]
    assert (told["user"], told["subject"]) == ("owner", "Acme: owner no longer stands in for tenant-admin")
    assert not Deputy.objects.exists()
    actions = list(Entry.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-2:] == ["deputy.appointed", "deputy.ended"]


def test_of_a_deputy_whose_time_was_over_nobody_is_told(world: World, client: Client) -> None:
    row = appoint(world, world.tenant_admin, world.owner, last=TODAY)
    client.force_login(world.tenant_admin)
    with time_machine.travel(AT + timedelta(days=9), tick=False):
        assert client.post("/g/acme/preferences/deputy/end/", {"deputy": row.pk}).status_code == 303
        queue.run_pending()
    assert not Deputy.objects.exists()
    assert not OutboxMessage.objects.filter(destination=Destination.NOTIFY).exists()
