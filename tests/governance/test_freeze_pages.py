"""Freezes in the console: seen, added and ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django_q.models import OrmQ

from audit.models import Entry
from config.access import SYSTEM
from governance import freezing, maintenance
from governance.models import Configuration
from tenants.models import Role
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
CALENDAR = "/g/acme/plans/calendar/"
# AT is 2026-03-02.
GIVEN = {"name": "books", "starts": "2026-03-02", "ends": "2026-03-04", "reason": "Books close."}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def names(world: World) -> list[str]:
    return sorted(freeze.name for freeze in maintenance.freezes_of(world.group.pk))


def put(world: World, *documents: dict[str, Any]) -> None:
    freezing.put(world.group, documents, actor=SYSTEM, at=AT)


def frozen(name: str, until: str = "2026-04-01") -> dict[str, Any]:
    return {"name": name, "from": "2026-02-01", "until": until, "reason": "Fair."}


def test_an_owner_freezes_the_group_and_ends_it_and_other_freezes_stay(world: World, owner: Client) -> None:
    put(world, frozen("fair"))
    assert f'action="{CALENDAR}freeze/"' in owner.get(f"{CALENDAR}freeze/").content.decode()
    assert owner.post(f"{CALENDAR}freeze/", GIVEN).status_code == 303
    page = owner.get(CALENDAR).content.decode()
    assert "Books close." in page
    assert page.count("Frozen now") == 2
    freeze = maintenance.freeze_at(world.group, AT.replace(day=4, hour=23))
    assert freeze is not None
    assert names(world) == ["books", "fair"]
    assert owner.post(f"{CALENDAR}thaw/", {"name": "books"}).status_code == 303
    assert names(world) == ["fair"]
    told = Entry.objects.filter(action="freezes.applied", actor_name="owner")
    assert [len(entry.data["freezes"]) for entry in told.order_by("sequence")] == [2, 1]


def test_what_waited_for_a_freeze_is_looked_at_once_it_is_ended(world: World, owner: Client) -> None:
    put(world, frozen("fair"))
    OrmQ.objects.all().delete()
    owner.post(f"{CALENDAR}thaw/", {"name": "fair"})
    assert OrmQ.objects.count() == 1


def test_a_freeze_that_somebody_else_ended_is_said_to_be_gone(world: World, owner: Client) -> None:
    answer = owner.post(f"{CALENDAR}thaw/", {"name": "books"}, follow=True)
    assert "had ended before" in answer.content.decode()
    assert not Configuration.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ends": "2026-03-01"}, "before the first day"),
        ({"name": "year end"}, "dashes and underscores only"),
        ({"reason": " "}, "This field is required"),
        ({"starts": "soon"}, "valid date"),
        ({"ends": "9999-12-31"}, "Name an earlier day."),
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused_with_the_reason(
    world: World, owner: Client, wrong: dict[str, str], told: str
) -> None:
    answer = owner.post(f"{CALENDAR}freeze/", {**GIVEN, **wrong})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert names(world) == []


def test_a_name_is_taken_until_its_freeze_is_over(world: World, owner: Client) -> None:
    put(world, frozen("books"), frozen("fair", until="2026-02-03"))
    answer = owner.post(f"{CALENDAR}freeze/", GIVEN)
    assert answer.status_code == 422
    assert "End it first" in answer.content.decode()
    assert maintenance.freezes_of(world.group.pk)[0].reason == "Fair."
    assert owner.post(f"{CALENDAR}freeze/", {**GIVEN, "name": "fair"}).status_code == 303
    assert names(world) == ["books", "fair"]
    freeze = maintenance.freeze_at(world.group, AT)
    assert freeze is not None


def test_whoever_may_not_edit_policies_sees_freezes_and_leaves_them(world: World, client: Client) -> None:
    put(world, frozen("fair"))
    client.force_login(factories.member(world.group, "operator", Role.OPERATOR))
    page = client.get(CALENDAR).content.decode()
    assert "Frozen now" in page
    assert "Add a freeze" not in page
    assert "End fair" not in page
    assert client.get(f"{CALENDAR}freeze/").status_code == 404
    assert client.post(f"{CALENDAR}freeze/", GIVEN).status_code == 404
    assert client.post(f"{CALENDAR}thaw/", {"name": "fair"}).status_code == 404
    assert names(world) == ["fair"]
