"""Helm's chart versions and ranges (Masterminds)."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, helm, scheme
from tests.governance.versions import laws, strategies, upstream

HELM = scheme("helm")


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("masterminds-semver")
    assert outcome.disagree == []
    assert outcome.agree == outcome.cases > 0


def test_missing_parts_of_a_version_are_zero() -> None:
    assert HELM.compare("v1", "1.0.0") == 0
    assert HELM.compare("1.2-beta", "1.2.0-beta+build") == 0
    assert HELM.parts("v1.2") == (1, 2, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.2.3.4", "three numbers"),
        ("", "three numbers"),
        ("1.2.3-01", "starts with 0"),
        ("18446744073709551616", "64 bits"),
        ("1.2.3\n", "three numbers"),
    ],
)
def test_what_helm_calls_no_version_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidVersion, match=reason):
        HELM.key(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.2", ["1.2.0", "1.2.9"], ["1.3.0", "1.1.9"]),
        ("=1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        (">1.1", ["1.2.0"], ["1.1.5", "1.1.0"]),
        (">=1.1", ["1.1.0"], ["1.0.9"]),
        ("<=1.1", ["1.1.9"], ["1.2.0"]),
        ("<1.1", ["1.0.9"], ["1.1.0"]),
        ("!=1.1", ["1.2.0"], ["1.1.0", "1.1.7"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        ("^1.2", ["1.2.0", "1.9.0"], ["2.0.0", "1.1.9"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0.0", ["0.0.9"], ["0.1.0"]),
        ("^0", ["0.9.0"], ["1.0.0"]),
        ("1.1 - 2.3", ["1.1.0", "2.3.9"], ["2.4.0", "1.0.9"]),
        (">=1.1, <2, !=1.2.3 || >3", ["1.1.0", "4.0.0"], ["1.2.3", "2.0.0", "3.1.0"]),
        ("=> 1.1 =< 1.4", ["1.1.0", "1.4.9"], ["1.0.0", "1.5.0"]),
        ("*", ["0.0.0", "9.0.0"], ["1.0.0-rc.1"]),
        ("", ["0.0.0", "9.0.0"], ["1.0.0-rc.1"]),
        ("==1.2.3", ["1.2.3"], ["1.2.4"]),
    ],
)
def test_ranges_are_those_of_masterminds(text: str, inside: list[str], outside: list[str]) -> None:
    found = HELM.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


def test_a_number_too_long_for_64_bits_is_a_word() -> None:
    """In a pre-release; so Go's ParseUint makes it in Masterminds' comparePrePart."""
    chain = ["1.0.0-5", "1.0.0--x", "1.0.0-100000000000000000000", "1.0.0-99999999999999999999", "1.0.0-a"]
    assert all(HELM.compare(lower, higher) == -1 for lower, higher in combinations(chain, 2))


def test_masterminds_alone_knows_no_empty_range_and_no_double_equals() -> None:
    for text in ("", "==1.2.3"):
        helm.read_range(text)
        with pytest.raises(InvalidRange):
            helm.read_range(text, simple=False)


def test_a_pre_release_is_considered_where_the_alternative_names_one() -> None:
    assert HELM.range(">=1.0.0 <=2.0.0-0").contains("1.5.0-beta")
    assert not HELM.range(">=1.0.0 <=2.0.0").contains("1.5.0-beta")
    assert not HELM.range(">=1.0.0 || >=3.0.0-0").contains("1.5.0-beta")
    assert helm.read_range(">=1.0.0", prereleases=True).contains(helm.read("1.5.0-beta"))
    assert HELM.is_prerelease("1.5-beta")


@pytest.mark.parametrize(
    "text",
    [
        ">= bar",
        "1..2",
        "^",
        ">=1.0 and <2",
        "1|2",
        "1.2.3-01",
        "12.3.4.1234",
        "12.3.34~ 1.2.3",
        ">=1.0\x0b<2",
        ">=1.0\u00a0<2",
        "vers:npm/1.0.0",
        "vers:helm/1.0.0",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        HELM.range(text)


@given(st.lists(strategies.semantic, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(HELM, versions)
    laws.assert_ranks_follow_keys(HELM, versions)


@given(strategies.releases, strategies.releases)
def test_between_releases_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(HELM, version, bound)
