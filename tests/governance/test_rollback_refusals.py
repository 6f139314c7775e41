"""When tenants are not taken back, and what is written down where they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit import ledger
from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import (
    flags,
    profiles,
    rollbacks,
    simulation,
)
from governance.models import Exemption, Policy, Release, Rollback
from governance.restoring import Scope
from governance.rollbacks import RollbackRefused
from tests.factories import AT, World
from tests.governance.taken_back import LATER, align, applied, asked, prepared
from tests.ground import Kind

SCENE = Kind(align)


@pytest.fixture
def aligned(standing_scene: World) -> World:
    return standing_scene


def test_it_is_refused_when_anything_changed_since_and_nothing_gives_way(aligned: World) -> None:
    row = prepared(aligned)
    Release.objects.filter(plugin__name="crm", version="2.4.0").update(channel="lts")
    entries = Entry.objects.count()
    with pytest.raises(simulation.Outdated):
        rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert Entry.objects.count() == entries
    assert not Exemption.objects.exists()
    assert Policy.objects.filter(name=row.name).count() == 0


def test_it_is_put_in_force_once_and_only_as_a_rollback(aligned: World) -> None:
    row = prepared(aligned)
    with pytest.raises(simulation.NotApplicable, match="belongs to a rollback"):
        simulation.apply(row.simulation, actor=SYSTEM, at=LATER)
    rollbacks.apply(row, actor=SYSTEM, at=LATER)
    with pytest.raises(TransitionError):
        rollbacks.apply(Rollback.objects.get(), actor=SYSTEM, at=LATER)


def test_the_decision_stands_in_the_ledger_and_the_owners_are_told_once(aligned: World) -> None:
    applied(aligned)
    (restored,) = Entry.objects.filter(action="snapshot.restored")
    assert restored.data["policies"] == ["align"]
    assert not ledger.verify(aligned.group.pk)
    (message,) = OutboxMessage.objects.filter(idempotency_key__startswith="rollback-")
    (told,) = message.payload["recipients"]
    assert (told["user"], "reassess" in told["subject"]) == ("owner", True)
    assert "exempt from: align" in told["text"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"until": AT}, "until"),
        ({"until": AT + timedelta(days=400)}, "until"),
        ({"profile": "nobody"}, "profile"),
        ({"scope": Scope()}, "snapshot"),
        ({"scope": Scope(frozenset({"tenant-b", "tenant-z"})), "snapshot": 1}, "tenants"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    aligned: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(RollbackRefused) as refusal:
        rollbacks.prepare(aligned.group, asked(aligned, **changes), actor=SYSTEM, at=LATER)
    assert refusal.value.field == field
    assert not Rollback.objects.exists()


def test_without_a_profile_that_enforces_there_is_no_way_back(aligned: World) -> None:
    profiles.save(aligned.group, {"name": "steady", "mode": "observe"}, actor=SYSTEM, at=LATER)
    with pytest.raises(RollbackRefused, match="No profile enforces"):
        rollbacks.prepare(aligned.group, asked(aligned), actor=SYSTEM, at=LATER)


def test_while_governance_is_off_nothing_is_taken_back(aligned: World) -> None:
    row = prepared(aligned)
    flags.switch(aligned.group, flags.GOVERNANCE, on=False, actor=SYSTEM, at=LATER)
    with pytest.raises(flags.FlagOff):
        rollbacks.apply(row, actor=SYSTEM, at=LATER)
