"""Which version all tenants shall have where a rule names none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.compilation.sameness import Camp, candidates, choose
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
