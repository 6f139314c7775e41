"""CKAN's module versions and game versions."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, scheme
from tests.governance.versions import laws, strategies, upstream

CKAN = scheme("ckan")
GAME = scheme("ckan-game")


@pytest.mark.parametrize("name", ["ckan-moduleversion", "ckan-order"])
def test_upstreams_own_cases_agree(name: str) -> None:
    outcome = upstream.outcome(name)
    assert outcome.disagree == []
    assert outcome.agree == outcome.cases > 0


@pytest.mark.parametrize(
    "chain",
    [
        ["1.2", "1.10", "v1.0", "v1.2", "1:0.1", "2:0"],
        ["1.0", "1.0.repackaged", "1.0.1"],
        ["1.0_beta", "1.0.1_beta"],
        ["0.1", "0.1b", "0.1.1"],
        ["R9", "R10"],
        ["release-1.12.1-9", "release-1.12.1-10"],
    ],
)
def test_known_traps_are_in_order(chain: list[str]) -> None:
    for lower, higher in combinations(chain, 2):
        assert CKAN.compare(lower, higher) == -1
        assert CKAN.compare(higher, lower) == 1


@pytest.mark.parametrize(("a", "b"), [("1.a", "1.b"), ("1.00", "1.0"), ("0:1.0", "1.0"), ("x", "x0")])
def test_equal_is_not_identical(a: str, b: str) -> None:
    assert CKAN.compare(a, b) == 0


@pytest.mark.parametrize("text", ["", "1:", "1.0\n2.0"])
def test_what_ckan_can_not_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion):
        CKAN.key(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=2:2.2.2,<=2:2.99.99", ["2:2.2.2", "2:2.50"], ["2.50", "2:2.2.1", "3:0"]),
        (">=v1.6.0,<=v1.99.99", ["v1.6.0", "v1.80"], ["v1.5.9", "v2"]),
        ("==1:beta-04", ["1:beta-04", "1:beta-4"], ["beta-04"]),
        ("==v0.4.3 beta", ["v0.4.3 beta"], ["v0.4.3"]),
        (">=1.0 <2.0", ["1.0", "1.9"], ["2.0"]),
        ("", ["0", "anything"], []),
        ("*", ["0", "anything"], []),
    ],
)
def test_ranges_of_the_catalogue_and_the_simple_form_are_read(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = CKAN.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


def test_parts_are_known_and_pre_releases_are_not_marked_in_the_version() -> None:
    assert CKAN.parts("2:v1.6.3.1") == (1, 6, 3)
    assert CKAN.parts("V.2") == (2, 0, 0)
    assert CKAN.parts("GRAPES") is None
    assert not CKAN.is_prerelease("1.0-beta")


@given(st.lists(st.one_of(strategies.ckan, strategies.any_ckan), min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(CKAN, versions)
    laws.assert_ranks_follow_keys(CKAN, versions)


@given(strategies.ckan, strategies.ckan)
def test_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(CKAN, version, bound)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("<=1.12", ["1.12.5", "1.12.0", "1.3.9"], ["1.13.0"]),
        (">=1.8 <=1.12", ["1.8.0", "1.12.5"], ["1.7.3", "1.13.0"]),
        (">1.8", ["1.9.0"], ["1.8.1"]),
        ("<1.8", ["1.7.9"], ["1.8.0"]),
        ("=1.8", ["1.8.0", "1.8.1"], ["1.9.0"]),
        ("!=1.8", ["1.9.0"], ["1.8.1"]),
        ("1.8.1", ["1.8.1", "1.8.1.2694"], ["1.8.0"]),
        ("*", ["0.23.0"], []),
    ],
)
def test_a_bound_of_a_game_version_stands_for_all_that_begin_with_it(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = GAME.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


def test_game_versions_are_numbers_with_dots() -> None:
    assert GAME.compare("1.12.0", "1.3.1") == 1
    assert GAME.parts("1.12.5.3190") == (1, 12, 5)
    assert not GAME.is_prerelease("1.0")
    for text in ("", "1", "v1.0", "1.0.0.0.0", "1.0-beta"):
        with pytest.raises(InvalidVersion):
            GAME.key(text)
    with pytest.raises(InvalidRange):
        GAME.range(">=one")
