"""Outcomes of parts, each decided once however many situations share it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from governance import answers
from governance.answers import Answers
from governance.deciders import Deciders
from governance.resolution import Outcome, Situation, decide, decide_whole, parts
from tests.governance.resolution.test_best import a_world
from tests.governance.resolution.test_shortcuts import Harder

PARTS = [part for seed in range(30) for part in parts(a_world(seed).situation())]


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    answers.forget()
    yield
    answers.forget()


class Late(Deciders):
    """Decides nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: list[tuple[Situation, Future[Outcome]]] = []

    def submit(self, parts: list[Situation]) -> list[Future[Outcome]]:  # type: ignore[override]
        new = [(part, Future[Outcome]()) for part in parts]
        self.asked += new
        return [future for _, future in new]

    def decide(self) -> None:
        for part, future in self.asked:
            future.set_result(decide(part))


def test_a_part_that_is_under_way_is_not_asked_for_again() -> None:
    late = Late()
    asked = Answers(late)
    both = asked.ask(PARTS), asked.ask(PARTS)
    digests = [part.digest for part, _ in late.asked]
    assert len(digests) == len(set(digests))
    late.decide()
    for some in both:
        assert [asked.outcome(*one) for one in zip(PARTS, some, strict=True)] == [
            decide(one) for one in PARTS
        ]


def test_what_is_decided_does_not_depend_on_whether_it_was_explained_before() -> None:
    taken = opens_more = 0
    with Deciders(1) as deciders:
        for world in map(Harder, range(80)):
            for part in parts(world.situation(world.broken)):
                asked, untold = Answers(deciders), replace(part, why=False)
                explained = asked.outcome(part, asked.ask([part])[0])
                found = asked.outcome(untold, asked.ask([untold])[0])
                alone = decide_whole(untold)
                assert (found.changes, found.beyond) == (alone.changes, alone.beyond)
                assert [one.stuck for one in found.unsettled] == [one.stuck for one in alone.unsettled]
                taken += found is explained
                opens_more += bool(explained.beyond and not alone.beyond)
    assert taken
    assert opens_more, "what an explanation has to have open isn't asked for by a decision"


def test_what_is_let_go_while_it_is_in_use_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_KEPT", 1)
    with Deciders(1) as deciders:
        asked = Answers(deciders)
        for _ in range(2):
            some = asked.ask(PARTS)
            assert [asked.outcome(*one) for one in zip(PARTS, some, strict=True)] == [
                decide(one) for one in PARTS
            ]
    assert len(answers._known) == 1


def test_where_one_part_fails_whoever_waits_hears_of_it_and_it_is_not_kept() -> None:
    late = Late()
    asked = Answers(late)
    [answer] = asked.ask(PARTS[:1])
    for _, future in late.asked:
        future.set_exception(RuntimeError("ended before its time"))
    with pytest.raises(RuntimeError):
        asked.outcome(PARTS[0], answer)
    assert not answers._known


def test_evaluations_within_one_block_ask_the_same_deciders_and_later_ones_others() -> None:
    with answers.deciders() as outer:
        with answers.deciders() as inner:
            assert inner is outer
        with answers.deciders() as still:
            assert still is outer
    with answers.deciders() as other:
        assert other is not outer
