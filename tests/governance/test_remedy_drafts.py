"""Drafts from ways out and the drafts of others: neither loses the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from config.access import SYSTEM
from governance import decisions, policies, remedies, ways_out
from governance.models import Conflict, PolicyVersion
from governance.ways_out import Kind
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed
from tests.governance.test_remedies import LATER, apply, drafted, way


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def two_disputes(world: World) -> list[Conflict]:
    """`core` wants crm raised and `freeze` keeps it in two tenants that differ: two conflicts, one policy."""
    third = factories.tenant(world.group, "tenant-c")
    disputed.behind(world)
    factories.install(third, {"crm": "2.2.0"})
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    disputed.hold(world, {"keys": ["tenant-b", "tenant-c"]})
    return sorted(Conflict.objects.waiting(), key=lambda conflict: str(ways_out.touched(conflict)[0]))


def texts(policy: str) -> list[PolicyVersion]:
    return list(PolicyVersion.objects.filter(policy__name=policy).order_by("number"))


def test_a_second_conflicts_variant_joins_the_first_ones_draft(world: World) -> None:
    first, second = two_disputes(world)
    drafted(Kind.DRAFT, first, way(first, "core/crm"))
    (draft,) = drafted(Kind.DRAFT, second, way(second, "core/crm"))
    variants = draft.document["rules"][0]["variants"]
    assert {variant["tenants"]["keys"][0]: variant["exactly"] for variant in variants} == {
        "tenant-b": "2.3.0",
        "tenant-c": "2.2.0",
    }
    assert draft.number == 3
    apply([draft])
    assert not Conflict.objects.standing().exists()


def test_a_second_conflicts_tenants_are_let_go_beside_the_first_ones(world: World) -> None:
    first, second = two_disputes(world)
    drafted(Kind.HOLD, first, way(first, "freeze/hold"))
    (draft,) = drafted(Kind.HOLD, second, way(second, "freeze/hold"))
    apply([draft])
    assert not Conflict.objects.standing().exists()


def test_a_draft_carries_on_with_what_somebody_else_has_begun(world: World) -> None:
    conflict = disputed.dispute(world)
    begun = {**texts("core")[0].document, "title": "Somebody's own"}
    policies.save_draft(world.group, begun, actor=SYSTEM, at=AT)
    (draft,) = drafted(Kind.DRAFT, conflict, way(conflict, "core/crm"))
    assert (draft.number, draft.document["title"]) == (3, "Somebody's own")


def test_a_relative_end_in_somebodys_draft_counts_from_when_that_was_written(world: World) -> None:
    third = factories.tenant(world.group, "tenant-c")
    conflict = disputed.dispute(world, held={"keys": ["tenant-b", third.key]})
    begun = {**disputed.FREEZE, "tenants": {"keys": ["tenant-b", third.key]}, "until": "in 3 days"}
    written = policies.save_draft(world.group, begun, actor=SYSTEM, at=AT)
    (draft,) = drafted(Kind.HOLD, conflict, way(conflict, "freeze/hold"), at=LATER)
    assert draft.document["until"] == AT.replace(day=AT.day + 3).isoformat()
    assert draft.number == written.number + 1


def test_what_was_taken_back_is_not_brought_again(world: World) -> None:
    conflict = disputed.dispute(world)
    (first,) = texts("core")
    taken_back = {**first.document, "title": "A mistake"}
    policies.apply(world.group, taken_back, actor=SYSTEM, at=AT)
    policies.apply_version(texts("core")[0], actor=SYSTEM, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    conflict.refresh_from_db()
    (draft,) = drafted(Kind.DRAFT, conflict, way(conflict, "core/crm"))
    assert (draft.number, draft.document.get("title", "")) == (3, "")


@pytest.mark.parametrize(("kind", "rule"), [(Kind.DRAFT, "core/crm"), (Kind.HOLD, "freeze/hold")])
def test_who_asks_twice_gets_the_same_draft(world: World, kind: Kind, rule: str) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, rule)  # as both requests read it
    (first,) = drafted(kind, conflict, chosen)
    (again,) = drafted(kind, conflict, chosen, at=LATER)
    assert again == first
    assert len(texts(rule.partition("/")[0])) == 2


def test_a_way_out_that_is_gone_by_now_is_refused(world: World) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    Conflict.objects.update(ways_out=[one for one in conflict.ways_out if one["policy"] != "core"])
    with pytest.raises(remedies.RemedyRefused):
        drafted(Kind.DRAFT, conflict, chosen)
    assert len(texts("core")) == 1


def test_the_page_says_which_draft_it_carries_on_with(world: World, client: Client) -> None:
    client.force_login(world.owner)
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    path = f"/g/acme/decisions/{conflict.pk}/ways/{chosen.number}/"
    told = "Version 2 of core</a>, by asker, is drafted already"
    assert told not in client.get(f"{path}draft/").content.decode()
    drafted(Kind.DRAFT, conflict, chosen)
    assert told in client.get(f"{path}draft/").content.decode()
    assert told not in client.get(f"{path}exemptions/").content.decode()
