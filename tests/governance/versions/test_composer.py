"""Composer's versions and ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, composer_range, composer_version, scheme
from tests.governance.versions import laws, strategies, upstream

COMPOSER = scheme("composer")


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("composer-semver")
    assert outcome.disagree == []
    assert outcome.agree > 0


def test_stabilities_are_in_phps_order() -> None:
    chain = [
        "1.0-dev",
        "1.0-alpha1",
        "1.0-alpha2",
        "1.0-beta",
        "1.0-RC1",
        "1.0",
        "1.0-p1",
        "1.0.1-dev",
        "1.0.1",
    ]
    assert sorted(set(chain), key=COMPOSER.key) == chain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("v1.2", "1.2.0.0"),
        ("1.0.0-b5", "1.0.0.0-beta5"),
        ("1.0.0.pl3-dev", "1.0.0.0-patch3-dev"),
        ("1.0-stable", "1.0.0.0"),
        ("1.0.0+build", "1.0.0.0"),
        ("1.0@beta", "1.0.0.0"),
        ("2010-01-02", "2010.01.02"),
        ("2.x-dev", "2.9999999.9999999.9999999-dev"),
        ("master", "dev-master"),
        ("\t1.0\0", "1.0.0.0"),
        ("dev-master as 1.0", "dev-master"),
    ],
)
def test_versions_are_normalised_as_composer_does(written: str, meant: str) -> None:
    assert composer_version.normalize(written) == meant


@pytest.mark.parametrize(
    ("written", "bounds"),
    [
        ("~1.2", [(">=", "1.2.0.0-dev"), ("<", "2.0.0.0-dev")]),
        ("~1.2.3", [(">=", "1.2.3.0-dev"), ("<", "1.3.0.0-dev")]),
        ("~1", [(">=", "1.0.0.0-dev"), ("<", "2.0.0.0-dev")]),
        ("~1.2-beta", [(">=", "1.2.0.0-beta"), ("<", "2.0.0.0-dev")]),
        ("^1.2.3", [(">=", "1.2.3.0-dev"), ("<", "2.0.0.0-dev")]),
        ("^0.2.3", [(">=", "0.2.3.0-dev"), ("<", "0.3.0.0-dev")]),
        ("^0.0.3", [(">=", "0.0.3.0-dev"), ("<", "0.0.4.0-dev")]),
        ("1.2.*", [(">=", "1.2.0.0-dev"), ("<", "1.3.0.0-dev")]),
        ("0.x", [("<", "1.0.0.0-dev")]),
        ("1.0 - 2.0", [(">=", "1.0.0.0-dev"), ("<", "2.1.0.0-dev")]),
        ("1.0.0 - 2.0.0", [(">=", "1.0.0.0-dev"), ("<=", "2.0.0.0")]),
        (">=1.0@beta", [(">=", "1.0.0.0-beta")]),
        (">1.0", [(">", "1.0.0.0")]),
        (">=1.0 <2.0", [(">=", "1.0.0.0-dev"), ("<", "2.0.0.0-dev")]),
        (">=1.0, <2.0", [(">=", "1.0.0.0-dev"), ("<", "2.0.0.0-dev")]),
        ("<>1.0", [("!=", "1.0.0.0")]),
        (">=2.3.2-RC1", [(">=", "2.3.2.0-RC1-dev")]),
        (">=2.3.2-beta1", [(">=", "2.3.2.0-beta1")]),
        ("dev-main#abc", [("=", "dev-main")]),
        ("feature-dev", [("=", "dev-feature")]),
        ("-dev", [("=", "dev-")]),
        ("*", []),
        ("v*", [(">=", "0.0.0.0-dev")]),
        ("@dev", []),
    ],
)
def test_ranges_are_read_as_composer_does(written: str, bounds: list[tuple[str, str]]) -> None:
    assert composer_range.read(written) == [bounds]


@pytest.mark.parametrize(
    ("a", "b"),
    [("2@RC", "2-dev"), ("2@stable", "2-alpha"), ("2-dev", "2-alpha"), ("2", "2-p1")],
)
def test_versions_compared_as_they_are_written_follow_phps_version_compare(a: str, b: str) -> None:
    """php > version_compare('2@RC', '2-dev') is -1: what PHP does not know is below all that it knows."""
    assert composer_range.compare(a, "<", b)
    assert composer_range.compare(b, ">", a)


def test_one_pipe_or_two_join_alternatives() -> None:
    for text in ("1.0 || 2.0", "1.0|2.0"):
        found = COMPOSER.range(text)
        assert [v for v in ("1.0", "1.5", "2.0.0") if found.contains(v)] == ["1.0", "2.0.0"]


def test_a_branch_is_in_a_range_that_names_it_and_in_no_order() -> None:
    assert COMPOSER.range("dev-main").contains("dev-main")
    assert COMPOSER.range("!=dev-main").contains("dev-other")
    assert not COMPOSER.range(">=1.0").contains("dev-main")
    assert not COMPOSER.range("dev-main").contains("1.0")
    with pytest.raises(InvalidVersion, match="branch"):
        COMPOSER.key("dev-main")


@pytest.mark.parametrize("text", ["", "1.0.0.0.0", "latest", "1.0-SNAPSHOT", "^1"])
def test_what_composer_calls_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion):
        COMPOSER.key(text)


@pytest.mark.parametrize(
    "text", ["", " ", "|| ^1", "~>1.2", "^2.0.*", "1.0.0-meh", ">=", "1.x - 2.*", "vers:composer/latest"]
)
def test_what_composer_calls_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        COMPOSER.range(text)


def test_parts_and_pre_releases_are_known() -> None:
    assert COMPOSER.parts("v1.2") == (1, 2, 0)
    assert [v for v in ("1.0-dev", "1.0-RC1", "1.0-p1", "1.0") if COMPOSER.is_prerelease(v)] == [
        "1.0-dev",
        "1.0-RC1",
    ]


@given(st.lists(strategies.composer, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(COMPOSER, versions)
    laws.assert_ranks_follow_keys(COMPOSER, versions)


@given(strategies.releases, strategies.releases)
def test_between_releases_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(COMPOSER, version, bound)
