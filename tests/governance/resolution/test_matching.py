"""What goes with what, remembered or not, is what the groups say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from governance.resolution import remembering
from governance.resolution.matching import Groups, Matching

bits = st.integers(0, 2**6 - 1)
grouped = st.lists(st.tuples(bits, bits), max_size=4).map(tuple)


def members(these: int) -> set[int]:
    return {place for place in range(6) if these >> place & 1}


@given(grouped, st.lists(bits, min_size=1, max_size=8))
def test_who_is_refused_and_what_is_allowed_follows_from_the_groups(groups: Groups, asked: list[int]) -> None:
    one = Matching(groups)
    for some in [*asked, *asked]:  # the second time from memory
        refused = [members(these) for these, match in groups if not members(match) & members(some)]
        allowed = [members(match) for these, match in groups if members(these) & members(some)]
        assert members(one.refused(some)) == set[int]().union(*refused)
        assert members(one.allowed(some)) == set[int]().union(*allowed)


def test_no_more_is_remembered_than_the_bound() -> None:
    one = Matching(((1, 1),))
    for asked in range(remembering._KEPT + 10):
        assert one.refused(asked) == (0 if asked & 1 else 1)
    assert len(one._refused) <= remembering._KEPT
