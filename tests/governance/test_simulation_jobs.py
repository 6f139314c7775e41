"""Simulations asked for and answered by a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.models import Entry
from config import queue
from config.access import SYSTEM, Actor, ActorKind
from config.lifecycle import TransitionError, advance
from governance import flags, simulation
from governance.models import Policy, Simulation
from governance.simulation import Supposition, facts, outcome
from tests.factories import AT, World
from tests.governance.governed import document, govern
from tests.ground import Kind

Status = Simulation.Status
LATER = AT + timedelta(minutes=1)
MILDER = Supposition(policies=[document("2.2.0")])


SCENE = Kind(govern)


@pytest.fixture
def governed(standing_scene: World) -> World:
    return standing_scene


def request(world: World, what: Supposition = MILDER, actor: Actor = SYSTEM) -> Simulation:
    return simulation.request(world.group, what, at=AT, actor=actor)


def test_a_question_waits_until_a_worker_answers_it(governed: World) -> None:
    asked = request(governed)
    assert (asked.status, asked.is_under_way, asked.outcome) == ("queued", True, {})
    queue.enqueue("governance.jobs.run_simulation", simulation_id=str(asked.pk))
    queue.run_pending()
    asked.refresh_from_db()
    assert (asked.status, asked.is_answered) == ("ready", True)
    assert asked.outcome["difference"]["closed"] == 2


def test_the_answer_is_the_same_as_at_once(governed: World) -> None:
    later = simulation.run(request(governed).pk, at=AT)
    at_once = simulation.simulate_what(governed.group, MILDER, at=AT, actor=SYSTEM)
    assert (later.inputs_digest, later.outcome) == (at_once.inputs_digest, at_once.outcome)


def test_an_answer_stays_as_it_is(governed: World) -> None:
    first = simulation.run(request(governed).pk, at=AT)
    before = Entry.objects.count()
    second = simulation.run(first.pk, at=LATER)
    assert (second.finished_at, Entry.objects.count()) == (first.finished_at, before)


def test_one_whose_worker_was_killed_is_begun_anew(governed: World) -> None:
    asked = request(governed)
    advance(asked, to=Status.RUNNING, started_at=AT)
    assert simulation.run(asked.pk, at=LATER).status == "ready"


def test_the_person_who_asked_is_in_the_ledger(governed: World) -> None:
    person = Actor(ActorKind.PERSON, governed.owner.pk, "owner")
    simulation.run(request(governed, actor=person).pk, at=LATER)
    entry = Entry.objects.get(action="simulation.run")
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("person", governed.owner.pk, "owner")


def test_one_that_can_not_be_worked_out_says_why_and_can_be_tried_again(governed: World) -> None:
    asked = request(governed, Supposition(policies=[document("2.2.0", profile="align")]))
    flags.switch(governed.group, flags.GOVERNANCE, on=False, actor=SYSTEM, at=AT)
    failed = simulation.run(asked.pk, at=LATER)
    assert failed.status == "failed"
    assert "plugin-version-governance is off" in failed.error
    flags.switch(governed.group, flags.GOVERNANCE, on=True, actor=SYSTEM, at=AT)
    again = simulation.run(asked.pk, at=LATER)
    assert (again.status, again.error) == ("ready", "")


def test_an_unforeseen_failure_is_told_too(governed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(outcome, "work_out", fail)
    failed = simulation.run(request(governed).pk, at=LATER)
    assert (failed.status, failed.error) == ("failed", "RuntimeError: disk full")
    assert Policy.objects.get().versions.count() == 1


def test_what_changes_while_it_is_worked_out_has_it_worked_out_again(
    governed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([{"installed": "a"}, {"installed": "b"}, {"installed": "b"}])
    monkeypatch.setattr(facts, "gather", lambda *_: next(told))
    kept = simulation.simulate_what(governed.group, MILDER, at=AT, actor=SYSTEM)
    assert kept.inputs["facts"] == {"installed": "b"}


def test_in_a_world_that_never_stands_still_it_gives_up_and_says_so(
    governed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(100))
    monkeypatch.setattr(facts, "gather", lambda *_: {"installed": str(next(numbers))})
    with pytest.raises(simulation.WorldMoving):
        simulation.simulate_what(governed.group, MILDER, at=AT, actor=SYSTEM)
    assert not Simulation.objects.exists()
    assert "quieter moment" in simulation.run(request(governed).pk, at=LATER).error


@pytest.mark.parametrize("status", Status.values)
def test_only_the_moves_of_the_table_are_made(governed: World, status: str) -> None:
    asked = request(governed)
    Simulation.objects.update(status=status)
    for to in Status.values:
        if to in Simulation.TRANSITIONS[status]:
            advance(asked, to=to)
            assert Simulation.objects.get().status == to
            Simulation.objects.update(status=status)
        else:
            with pytest.raises(TransitionError):
                advance(asked, to=to)
            assert Simulation.objects.get().status == status


def test_the_usual_time_is_the_middle_of_the_latest(governed: World) -> None:
    assert simulation.usual_seconds(governed.group) is None
    for seconds in (100, 3, 1, 2, 5, 4):
        asked = request(governed)
        ended = AT + timedelta(seconds=seconds)
        Simulation.objects.filter(pk=asked.pk).update(status="ready", started_at=AT, finished_at=ended)
    assert simulation.usual_seconds(governed.group) == 3.0
