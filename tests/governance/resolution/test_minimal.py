"""All minimal failing parts, against enumeration."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from governance.resolution.minimal import Failing, minimal_sets, shrink

SIZE = 6
Family = frozenset[frozenset[int]]
families = st.frozensets(st.frozensets(st.integers(0, SIZE - 1)), max_size=5)


def containing(family: Family) -> Failing:
    """Fail what contains one of the sets."""

    def failing(places: Sequence[int]) -> list[int] | None:
        return list(places) if any(one <= set(places) for one in family) else None

    return failing


def minimal(family: Family) -> set[frozenset[int]]:
    """The sets that contain no other."""
    return {one for one in family if not any(other < one for other in family)}


@given(families)
def test_exactly_the_minimal_sets_are_found(family: Family) -> None:
    found = minimal_sets(SIZE, containing(family), most_sets=99, most_questions=999)
    assert set(found.sets) == minimal(family)
    assert len(found.sets) == len(set(found.sets))
    assert found.complete


@given(families.filter(lambda family: len(minimal(family)) > 1))
def test_what_is_beyond_the_bound_is_said_to_be_left_out(family: Family) -> None:
    found = minimal_sets(SIZE, containing(family), most_sets=1, most_questions=999)
    assert len(found.sets) == 1
    assert set(found.sets) < minimal(family)
    assert not found.complete


@given(families.filter(bool))
def test_what_is_shrunk_still_fails_and_nothing_can_be_left_out_of_it(family: Family) -> None:
    failing = containing(family)
    smallest = shrink(range(SIZE), failing)
    assert failing(sorted(smallest)) is not None
    assert all(failing(sorted(smallest - {place})) is None for place in smallest)


def test_those_in_front_are_kept_where_either_would_do() -> None:
    assert shrink(range(SIZE), containing(frozenset({frozenset({0}), frozenset({5})}))) == {0}
