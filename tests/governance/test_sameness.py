"""Which version all tenants shall have where a rule names none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.compilation.sameness import (
    Camp,
    Candidate,
    candidate,
    candidates,
    choose,
    most_reached,
)
from governance.rules import ReleaseFacts

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEWEST_FIRST = [ReleaseFacts(rank, f"{rank}.0.0", rank) for rank in (3, 2, 1)]


def camp(tenants: int, *bound_by: int, held_at: int | None = None, now_at: int = 0) -> Camp:
    return Camp(tenants, frozenset(bound_by), held_at, now_at)


BROKEN = {10: frozenset({3}), 20: frozenset({1, 2}), 30: frozenset({1, 2, 3})}


@pytest.mark.parametrize(
    ("camps", "target"),
    [
        ([], 3),
        ([camp(5)], 3),
        ([camp(5, 10)], 2),
        ([camp(5, 10), camp(6, 20)], 3),
        ([camp(6, 10), camp(5, 20)], 2),
        ([camp(5, 10), camp(5, 20)], 3),
        ([camp(5, held_at=1), camp(4)], 1),
        ([camp(4, held_at=1), camp(5, held_at=2)], 2),
        ([camp(5, 30)], 3),
        ([camp(5, 10, held_at=3)], 3),
        ([camp(1, held_at=2, now_at=2), camp(1, now_at=3)], 3),
        ([camp(2, held_at=2, now_at=2), camp(1, now_at=3)], 2),
    ],
    ids=[
        "nobody has it: the newest",
        "nothing binds: the newest",
        "the newest is denied: the one before",
        "more reach the newest",
        "more reach the older",
        "as many reach both: the newer",
        "a hold reaches what it has",
        "the larger of two holds",
        "nobody reaches any: the newest",
        "a hold at what is denied reaches none",
        "one held back takes nobody else back",
        "most held back set the mark",
    ],
)
def test_the_release_that_the_most_tenants_can_reach_is_chosen(camps: list[Camp], target: int) -> None:
    assert choose(NEWEST_FIRST, camps, BROKEN) == target


def test_without_a_release_nothing_is_chosen() -> None:
    assert choose([], [camp(1)], {}) is None


@pytest.mark.parametrize(
    "unfit",
    [{"withdrawn": True}, {"catalogued": False}, {"prerelease": True}, {"released_at": AT + timedelta(1)}],
)
def test_a_release_that_nobody_should_have_is_no_candidate(unfit: dict[str, Any]) -> None:
    releases = [replace(NEWEST_FIRST[0], **unfit), *NEWEST_FIRST[1:]]
    assert [release.id for release in candidates(releases, AT)] == [2, 1]


def test_where_only_pre_releases_or_uncatalogued_ones_are_there_they_are_candidates() -> None:
    uncatalogued = [replace(release, catalogued=False) for release in NEWEST_FIRST]
    assert [release.id for release in candidates(uncatalogued, AT)] == [3, 2, 1]
    pre = [replace(NEWEST_FIRST[0], prerelease=True), *uncatalogued[1:]]
    assert [release.id for release in candidates(pre, AT)] == [3]


def test_only_who_the_rules_let_reach_a_candidate_counts_for_it() -> None:
    camps = [replace(camp(2, 10), members=frozenset({1, 2})), replace(camp(1), members=frozenset({3}))]
    reaching = [candidate(release, camps, BROKEN).tenants for release in NEWEST_FIRST]
    assert reaching == [{3}, {1, 2, 3}, {1, 2, 3}]


some_tenants = st.frozensets(st.integers(1, 5))
# By release, whom the rules let reach it and whom something else keeps from it; the newest first.
fields = st.lists(st.tuples(some_tenants, some_tenants), max_size=6).map(
    lambda rows: {
        Candidate(ReleaseFacts(rank, f"{rank}.0.0", rank), let): len(let - kept)
        for rank, (let, kept) in sorted(enumerate(rows), reverse=True)
    }
)
Field = Mapping[Candidate, int]  # how many reach it in fact


def best_of(field: Field) -> Candidate | None:
    """By asking about all: the most in fact, or else the most by the rules, of several the newest."""
    by_rules = max(field, key=lambda one: len(one.tenants), default=None)
    in_fact = max(field, key=field.__getitem__, default=None)
    return in_fact if in_fact is not None and field[in_fact] else by_rules


@given(fields, st.integers(0, 6))
def test_the_candidate_that_the_most_reach_in_fact_is_found_whatever_is_wanted_now(
    field: Field, now: int
) -> None:
    found = most_reached(list(field), now, field.__getitem__, most=99)
    assert (found and found.candidate) == best_of(field)
    assert found is None or (found.tenants, found.untried) == (field[found.candidate], 0)


@given(fields, st.integers(0, 6), st.integers(1, 6))
def test_nobody_is_asked_about_twice_or_beyond_the_bound_and_what_is_wanted_now_always_competes(
    field: Field, now: int, most: int
) -> None:
    asked: list[Candidate] = []

    def reach(one: Candidate) -> int:
        asked.append(one)
        return field[one]

    found = most_reached(list(field), now, reach, most=most)
    assert len(asked) == len(set(asked)) <= most
    if found is not None:
        assert found.tenants >= max((n for one, n in field.items() if one.release.id == now), default=0)
        assert found.untried or found.candidate == best_of(field)
        assert not found.untried or len(asked) == most


@given(fields, st.integers(0, 6))
def test_who_can_no_longer_win_by_the_rules_is_not_asked_about(field: Field, now: int) -> None:
    let = {one: len(one.tenants) for one in field}  # nothing but the rules keeps anyone
    asked: list[Candidate] = []

    def reach(one: Candidate) -> int:
        asked.append(one)
        return let[one]

    most_reached(list(field), now, reach, most=99)
    assert len(asked) <= 2
