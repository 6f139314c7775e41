"""Parts decided by other processes come out as they would here."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import deciders
from governance.resolution import Situation, decide_whole
from tests.governance.resolution.test_best import worlds
from tests.governance.resolution.worlds import World, need, wants


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few there are, other processes are asked, a few at a time."""
    monkeypatch.setattr(deciders, "ALONE", -1.0)
    monkeypatch.setattr(deciders, "_TOGETHER", 3)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})


def some() -> list[Situation]:
    """Situations of all sorts: one moves, one pulls another along, one is stuck."""
    wanted = (wants(1, [2]),)
    return [
        World({1: 1}, bindings=wanted).situation(),
        World({1: 1, 2: 1}, {(1, 2): (need(2, [3]),)}, wanted).situation([1, 2]),
        World({1: 1}, bindings=(*wanted, wants(1, [3], "other"))).situation(),
        World({1: 2}, bindings=wanted).situation(),
    ]


@pytest.mark.usefixtures("_many")
def test_the_outcomes_are_the_same_in_the_same_order() -> None:
    assert deciders.decide_all(some()) == [decide_whole(situation) for situation in some()]


@pytest.mark.usefixtures("_many")
def test_the_releases_in_an_answer_are_those_that_were_asked_about() -> None:
    [situation, *_] = situations = some()
    [change] = deciders.decide_all(situations)[0].changes
    assert change.before is situation.component(1).installed
    assert any(change.after is release for release in situation.component(1).candidates)


@given(st.lists(worlds(), max_size=4))
@settings(max_examples=30, deadline=None)
def test_what_is_sent_and_received_is_what_was_asked_and_answered(several: list[World]) -> None:
    parts = [world.situation() for world in several]
    asked, answers = io.BytesIO(), io.BytesIO()
    deciders._send(asked, parts)
    asked.seek(0)
    deciders._serve(asked, answers)
    answers.seek(0)
    answered = deciders._receive(answers)
    assert answered is not None
    at_home = [deciders._at_home(part, outcome) for part, outcome in zip(parts, answered, strict=True)]
    assert at_home == [decide_whole(part) for part in parts]


@pytest.mark.usefixtures("_many")
def test_a_process_that_ends_before_its_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciders, "COMMAND", [sys.executable, "-c", "input()"])
    with pytest.raises((RuntimeError, BrokenPipeError)):
        deciders.decide_all(some())


def test_few_are_decided_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciders, "COMMAND", ["no-such-program"])
    assert len(deciders.decide_all(some())) == 4
