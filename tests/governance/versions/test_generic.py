"""The plain order for plugins without an ecosystem's rule."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, scheme
from tests.governance.versions import laws, strategies

GENERIC = scheme("generic")


@pytest.mark.parametrize(
    "chain",
    [
        [
            "1.0-dev",
            "1.0-SNAPSHOT",
            "1.0-alpha1",
            "1.0b2",
            "1.0-m3",
            "1.0-pre",
            "1.0-rc1",
            "1.0",
            "1.0-patch",
            "1.0.1",
        ],
        ["1.9", "1.10", "2"],
        ["20240131", "20240201"],
        ["r9", "r10"],
        ["1.0-rc1", "1.0-rc1-hotfix", "1.0-rc2"],
    ],
)
def test_the_documented_order_holds(chain: list[str]) -> None:
    for lower, higher in combinations(chain, 2):
        assert GENERIC.compare(lower, higher) == -1
        assert GENERIC.compare(higher, lower) == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [("1.0", "1"), ("v1.2", "1.2"), ("1.2+build7", "1.2"), ("1.0-RC1", "1_rc.1"), ("1.0.0-beta", "1b")],
)
def test_equal_is_not_identical(a: str, b: str) -> None:
    assert GENERIC.compare(a, b) == 0


@pytest.mark.parametrize("text", ["", "latest", "1.0 beta", "1/2", "ünf5", "+7"])
def test_what_has_no_number_or_odd_characters_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion):
        GENERIC.key(text)


@pytest.mark.parametrize("text", [">=latest", "~1.0", "^1.0", "1.0 || 2.0", "vers:generic/1.0"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """VERS names a generic type, but leaves its order to be specified."""
    with pytest.raises(InvalidRange):
        GENERIC.range(text)


def test_parts_and_pre_releases_are_known() -> None:
    assert GENERIC.parts("v1.2-rc3") == (1, 2, 0)
    assert GENERIC.parts("r10") is None
    assert [v for v in ("1.0-rc1", "1.0-patch", "1.0") if GENERIC.is_prerelease(v)] == ["1.0-rc1"]


@given(st.lists(strategies.generic, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(GENERIC, versions)
    laws.assert_ranks_follow_keys(GENERIC, versions)


@given(strategies.generic, strategies.generic)
def test_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(GENERIC, version, bound)
