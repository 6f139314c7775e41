"""Tenants taken back where each of several policies gives way in its own way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import (
    plans,
    policies,
    rollbacks,
)
from governance.models import (
    Conflict,
    Policy,
    Rollback,
)
from tests.factories import AT, World
from tests.governance.taken_back import LATER, align, applied, carry_out, prepared
from tests.ground import Kind

SCENE = Kind(align)


@pytest.fixture
def aligned(standing_scene: World) -> World:
    return standing_scene


def both(aligned: World) -> World:
    """Another policy wants the same of crm as `align` does."""
    rules = [{"name": "floor", "plugins": ["crm"], "at_least": "2.4.0"}]
    document = {"name": "floor", "profile": "steady", "tenants": "*", "rules": rules}
    policies.apply(aligned.group, document, actor=SYSTEM, at=AT)
    return aligned


def test_each_policy_may_give_way_in_its_own_way(aligned: World) -> None:
    until = LATER + timedelta(days=9)
    carry_out(aligned, applied(both(aligned), ways={"floor": "pause"}, until=until), LATER)
    row = Rollback.objects.get()
    assert (row.way, row.until) == ("mixed", until)
    assert {one["policy"]: one["way"] for one in row.policies} == {"align": "exempt", "floor": "pause"}
    assert dict(Policy.objects.filter(name__in=["align", "floor"]).values_list("name", "status")) == {
        "align": "active",
        "floor": "paused",
    }
    assert not Conflict.objects.exists()
    assert plans.draft(aligned.group, at=LATER, actor=SYSTEM) is None, "nothing fights the rollback"
    data = Entry.objects.get(action="snapshot.restored").data
    assert (data["policies"], data["paused"]) == (["align", "floor"], ["floor"])


def test_only_what_was_paused_for_it_ends_it_by_being_resumed(aligned: World) -> None:
    applied(both(aligned), ways={"floor": "pause"})
    policies.pause(Policy.objects.get(name="align"), actor=SYSTEM, at=LATER)
    policies.resume(Policy.objects.get(name="align"), actor=SYSTEM, at=LATER)
    assert Rollback.objects.get().ended_at is None
    policies.resume(Policy.objects.get(name="floor"), actor=SYSTEM, at=LATER)
    assert Rollback.objects.get().ended_at == LATER


def test_where_all_are_paused_one_by_one_it_is_as_if_they_were_at_once(aligned: World) -> None:
    row = prepared(both(aligned), ways={"floor": "pause", "align": "pause"})
    assert (row.way, row.until) == ("pause", LATER + rollbacks.LONGEST)
    row = prepared(aligned, way="pause", ways={"floor": "exempt"})
    assert (row.way, row.until) == ("mixed", LATER + rollbacks.USUAL)


def test_what_does_not_stand_against_it_needs_no_way(aligned: World) -> None:
    with pytest.raises(rollbacks.RollbackRefused, match="other doesn’t stand against it"):
        prepared(aligned, ways={"other": "pause"})


def test_owners_are_told_which_are_paused_and_which_let_the_tenants_be(aligned: World) -> None:
    applied(both(aligned), ways={"floor": "pause"})
    [message] = OutboxMessage.objects.filter(idempotency_key__startswith="rollback-")
    told = message.payload["recipients"][0]["text"]
    assert "Paused for it: floor." in told
    assert "they are exempt from: align." in told


def test_a_rollback_of_before_there_was_a_choice_still_ends_as_it_did(aligned: World) -> None:
    applied(aligned, way="pause")
    row = Rollback.objects.get()
    row.policies = [{key: value for key, value in one.items() if key != "way"} for one in row.policies]
    row.save()
    assert rollbacks.given_way(row, "pause") == ["align"]
    policies.resume(Policy.objects.get(name="align"), actor=SYSTEM, at=LATER)
    assert Rollback.objects.get().ended_at == LATER
