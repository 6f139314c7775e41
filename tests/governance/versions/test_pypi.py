"""PEP 440."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, pypi, scheme
from tests.governance.versions import laws, strategies, upstream

PYPI = scheme("pypi")


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("pep440-packaging")
    assert outcome.disagree == []
    assert outcome.agree > 0


def test_the_dialect_goes_by_the_name_of_its_rule_too() -> None:
    assert scheme("pep440") is PYPI


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=2.4 <3", ["2.4", "2.99"], ["2.3", "3.0"]),
        (">=2.4,<3", ["2.4", "2.99"], ["2.3", "3.0"]),
        ("=1.2", ["1.2", "1.2.0"], ["1.2.1"]),
        ("1.2", ["1.2", "1.2.0"], ["1.2.1"]),
        ("==1.2.*", ["1.2", "1.2.9", "1.2rc1"], ["1.3"]),
        ("~=1.4.5", ["1.4.5", "1.4.10"], ["1.5", "1.4.4"]),
        ("!=1.3", ["1.2", "1.3.1"], ["1.3", "1.3.0"]),
        (">1.0", ["1.1"], ["1.0.post1", "1.0"]),
        ("===1.0", ["1.0"], ["1.0.0"]),
        ("===1.00", ["1.00"], ["1.0"]),
        ("*", ["0", "1!0"], []),
        ("", ["0", "1!0"], []),
        ("vers:pypi/>=1.0|<2.0", ["1.0", "1.9", "2.0rc1"], ["2.0", "1.0rc1"]),
    ],
)
def test_ranges_are_pep_440s_with_the_simple_form_beside(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = PYPI.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


@pytest.mark.parametrize(
    "text", ["=>2.0", ">=1.0+local", "<=1.0.*", "==1.0.*+5", ">=", "latest", ">=1.0 and <2"]
)
def test_what_pep_440_refuses_stays_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        PYPI.range(text)


def test_pep_440_alone_knows_no_specifier_without_operator() -> None:
    for text in ("2.0", "=2.0", ">=1 <2", "*"):
        pypi.read_range(text)
        with pytest.raises(InvalidRange):
            pypi.read_native(text)


@pytest.mark.parametrize("text", ["", "latest", "1..0", "1.0-x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion):
        PYPI.key(text)


def test_parts_and_pre_releases_are_known() -> None:
    assert PYPI.parts("1!2.3") == (2, 3, 0)
    assert PYPI.is_prerelease("1.0.dev1")
    assert PYPI.is_prerelease("1.0rc1")
    assert not PYPI.is_prerelease("1.0.post1")


@given(st.lists(strategies.pep440, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(PYPI, versions)
    laws.assert_ranks_follow_keys(PYPI, versions)


@given(strategies.releases, strategies.releases)
def test_between_releases_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(PYPI, version, bound)
