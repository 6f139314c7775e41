"""SemVer 2.0.0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, scheme
from tests.governance.versions import laws, strategies, upstream

SEMVER = scheme("semver")


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("semver-org")
    assert outcome.disagree == []
    assert outcome.agree == outcome.cases > 0


def test_the_specifications_example_is_in_order() -> None:
    tails = ("alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1")
    chain = [*(f"1.0.0-{tail}" for tail in tails), "1.0.0"]
    assert sorted(set(chain), key=SEMVER.key) == chain
    assert len({SEMVER.key(version) for version in chain}) == len(chain)


def test_build_metadata_does_not_count() -> None:
    assert SEMVER.compare("1.0.0+a", "1.0.0+b") == 0


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", " 1.0.0", "1.0.0\n"]
)
def test_what_is_not_strictly_semver_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidVersion, match="three numbers") as refusal:
        SEMVER.key(text)
    assert refusal.value.text == text


def test_a_pre_release_is_in_a_range_only_if_the_range_names_one_of_its_release() -> None:
    assert not SEMVER.range(">=2.4 <3").contains("2.5.0-rc.1")
    assert not SEMVER.range("<3").contains("3.0.0-rc.1")
    assert SEMVER.range(">=2.5.0-beta <3").contains("2.5.0-rc.1")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=2.4 <3", ["2.4.0", "2.99.1"], ["2.3.9", "3.0.0"]),
        (">=2.4, <3", ["2.4.0", "2.99.1"], ["2.3.9", "3.0.0"]),
        (">= 2.4.0 , != 2.5.0", ["2.4.0", "3.0.0"], ["2.5.0", "2.3.9"]),
        ("!=1.3", ["1.2.9", "1.4.0"], ["1.3.0", "1.3.7"]),
        ("!=1.3.1 !=1.3.2", ["1.3.0", "1.3.3"], ["1.3.1", "1.3.2"]),
        ("=1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("==1.2.3", ["1.2.3", "1.2.3+build"], ["1.2.4"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
        ("^1.2", ["1.2.0", "1.9.9"], ["2.0.0", "1.1.9"]),
        ("*", ["0.0.0", "9.9.9"], []),
        ("vers:semver/>=1.0.0|!=1.5.0|<2.0.0", ["1.0.0", "1.9.0", "2.0.0-rc.1"], ["1.5.0", "2.0.0", "0.9.0"]),
    ],
)
def test_ranges_are_npms_with_the_simple_form_beside(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = SEMVER.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside
    assert found.text == text


@pytest.mark.parametrize(
    "text", [">=", "one", ">=1.x.3", "^^1", "!=1 || 2", ">=1.0.0-01", "vers:npm/1.0.0", "vers:semver/1"]
)
def test_what_is_no_range_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidRange) as refusal:
        SEMVER.range(text)
    assert refusal.value.text == text
    assert refusal.value.reason


def test_a_range_says_of_a_non_version_that_it_is_none() -> None:
    with pytest.raises(InvalidVersion):
        SEMVER.range("*").contains("latest")


def test_parts_and_pre_releases_are_known() -> None:
    assert SEMVER.parts("3.14.159-rc.1") == (3, 14, 159)
    assert SEMVER.is_prerelease("1.0.0-rc.1")
    assert not SEMVER.is_prerelease("1.0.0+rc.1")


@given(st.lists(strategies.semantic, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(SEMVER, versions)
    laws.assert_ranks_follow_keys(SEMVER, versions)


@given(strategies.releases, strategies.releases)
def test_between_releases_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(SEMVER, version, bound)
