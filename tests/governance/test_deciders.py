"""Parts decided by several processes."""

import gc
import io
import pickle
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from governance import deciders
from governance.deciders import Deciders
from governance.resolution import Candidates, Component, Outcome, Release, Situation, decide_whole
from tests.governance.resolution.test_best import a_world, worlds
from tests.governance.resolution.worlds import World, need, wants

PARTS = [a_world(seed).situation() for seed in range(60)]


def decide_all(parts: Sequence[Situation], *, processes: int) -> list[Outcome]:
    """The outcomes of the parts, asked for all at once."""
    with Deciders(processes) as asked:
        return [future.result() for future in asked.submit(parts)]


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are asked from the first part on."""
    monkeypatch.setattr(deciders, "ALONE", -1.0)


@pytest.mark.usefixtures("_at_once")
def test_several_processes_come_to_what_one_does_and_in_the_same_order() -> None:
    assert decide_all(PARTS, processes=2) == [decide_whole(part) for part in PARTS]


@pytest.mark.usefixtures("_at_once")
def test_the_releases_of_an_outcome_are_those_of_the_part() -> None:
    changed = [
        (part, change)
        for part, outcome in zip(PARTS, decide_all(PARTS, processes=2), strict=True)
        for change in outcome.changes
        if change.after is not None
    ]
    assert changed
    for part, change in changed:
        assert any(change.after is release for release in part.component(change.component).candidates)


@pytest.mark.usefixtures("_at_once")
def test_a_process_that_ends_before_its_time_is_an_error_and_no_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dying() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(deciders, "_process", dying)
    # More than once, since threads that wait for one another do so now and then only.
    for _ in range(20):
        with pytest.raises(RuntimeError):
            decide_all(PARTS, processes=2)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(("allowed", "started"), [(1, 0), (3, 3)])
def test_no_more_processes_are_started_than_may_be(
    monkeypatch: pytest.MonkeyPatch, allowed: int, started: int
) -> None:
    start, seen = deciders._process, list[subprocess.Popen[bytes]]()

    def counted() -> subprocess.Popen[bytes]:
        seen.append(start())
        return seen[-1]

    monkeypatch.setattr(deciders, "_process", counted)
    assert decide_all(PARTS, processes=allowed) == [decide_whole(part) for part in PARTS]
    assert len(seen) == started


@pytest.mark.usefixtures("_at_once")
def test_processes_are_started_once_however_often_they_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    start, seen = deciders._process, list[subprocess.Popen[bytes]]()

    def counted() -> subprocess.Popen[bytes]:
        seen.append(start())
        return seen[-1]

    monkeypatch.setattr(deciders, "_process", counted)
    with Deciders(2) as asked:
        futures = [future for begin in range(0, 60, 20) for future in asked.submit(PARTS[begin : begin + 20])]
        assert [future.result() for future in futures] == [decide_whole(part) for part in PARTS]
    assert len(seen) == 2
    assert [process.returncode for process in seen] == [0, 0]  # they ended with the evaluation


@pytest.mark.usefixtures("_at_once")
def test_what_goes_wrong_with_an_answer_is_heard_by_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_part: Situation, _outcome: Outcome) -> Outcome:
        raise LookupError

    monkeypatch.setattr(deciders, "_at_home", broken)
    with pytest.raises(LookupError):
        decide_all(PARTS, processes=2)


def test_where_no_process_may_be_started_this_one_decides() -> None:
    assert decide_all(PARTS[:5], processes=0) == [decide_whole(part) for part in PARTS[:5]]


class Meanwhile(io.BytesIO):
    """A stream; while something is written to it, somebody works out more about the releases."""

    def __init__(self, releases: list[Release]) -> None:
        super().__init__()
        self._releases = releases

    def write(self, data: Any, /) -> int:
        for release in self._releases:
            assert release.bare.digest != release.digest
            assert release.about
        return super().write(data)


def test_a_part_may_be_sent_while_something_is_worked_out_about_it() -> None:
    needs = tuple(need(2, [1], f"needs it {number}" * 5_000) for number in range(3))
    releases = [Release(number, 1, str(number), number, needs) for number in range(200)]
    part = Situation((Component(1, "p1", releases[0], Candidates(releases), open=True),), ())
    pickle.Pickler(stream := Meanwhile(releases), protocol=pickle.HIGHEST_PROTOCOL).dump([part])
    assert pickle.loads(stream.getvalue()) == [part]


@pytest.mark.usefixtures("_at_once")
def test_what_a_process_was_told_is_forgotten_now_and_then_and_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciders, "_TOLD", 7)
    told: list[object] = []

    class Noted(pickle.Pickler):
        def dump(self, obj: object) -> None:
            told.append(obj)
            super().dump(obj)

    monkeypatch.setattr("governance.deciders.pickle.Pickler", Noted)
    assert decide_all(PARTS * 2, processes=2) == [decide_whole(part) for part in PARTS * 2]
    assert told.count(None) > 2


def test_few_parts_are_decided_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted() -> subprocess.Popen[bytes]:
        raise AssertionError("no process is worth it")

    monkeypatch.setattr(deciders, "_process", unwanted)
    assert decide_all(PARTS[:3], processes=2) == [decide_whole(part) for part in PARTS[:3]]


@given(st.lists(worlds(), max_size=4))
@examples(max_examples=30, deadline=None)
def test_what_is_sent_and_received_is_what_was_asked_and_answered(several: list[World]) -> None:
    parts = [world.situation() for world in several]
    asked, answers = io.BytesIO(), io.BytesIO()
    pickler = pickle.Pickler(asked)
    for part in parts:  # what one question tells, the next refers to
        pickler.dump([part])
    asked.seek(0)
    deciders._serve(asked, answers)
    answers.seek(0)
    answered = [outcome for _ in parts for outcome in pickle.load(answers)]
    at_home = [deciders._at_home(part, outcome) for part, outcome in zip(parts, answered, strict=True)]
    assert at_home == [decide_whole(part) for part in parts]


def test_what_was_told_is_let_go_where_components_ask_something_of_each_other() -> None:
    def candidates() -> list[Candidates]:
        # By its very type: a lazy object that another test has left is made when it is asked for its class.
        return [one for one in gc.get_objects() if type(one) is Candidates]

    def new() -> list[Candidates]:
        return [one for one in candidates() if id(one) not in known]

    world = World({1: 1, 2: 1}, {(1, 2): (need(2, [2]),), (2, 2): (need(1, [2]),)}, (wants(1, [2]),))
    told = pickle.dumps([world.situation()]) + pickle.dumps(None)
    del world
    gc.collect()
    gc.disable()  # as in a process that decides
    try:
        before = candidates()  # kept, so that nothing new can get the place of what other tests have left
        known = {id(one) for one in before}
        questions = deciders._questions(io.BytesIO(told))
        decide_whole(next(questions)[0])
        assert new()
        assert next(questions, None) is None
        assert not new()
    finally:
        gc.enable()
