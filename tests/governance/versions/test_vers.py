"""VERS strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import SCHEMES, InvalidRange, scheme, vers
from tests.governance.versions import strategies, upstream

NPM = scheme("npm")


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("vers-spec")
    assert outcome.disagree == []
    assert outcome.agree > 300


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("vers:npm/*", ["0.0.0", "9.0.0-rc.1"], []),
        ("vers:npm/1.0.0", ["1.0.0", "1.0.0+build"], ["1.0.1"]),
        ("vers:npm/>1.0.0", ["1.0.1"], ["1.0.0", "0.9.0"]),
        ("vers:npm/<=1.0.0", ["1.0.0", "0.9.0"], ["1.0.1"]),
        ("vers:npm/!=1.0.0", ["0.9.0", "1.0.1"], ["1.0.0"]),
        (
            "vers:npm/0.5.0|>=1.0.0|!=1.5.0|<2.0.0|3.0.0",
            ["0.5.0", "1.0.0", "1.9.0", "3.0.0"],
            ["0.6.0", "1.5.0", "2.0.0"],
        ),
        ("vers:npm/<1.0.0|>=2.0.0", ["0.9.0", "2.0.0"], ["1.0.0", "1.5.0"]),
        ("vers:npm/>=1.0.0|<1.5.0|>2.0.0", ["1.0.0", "2.0.1"], ["1.5.0", "2.0.0", "0.9.0"]),
        ("vers:npm/1.0.0|!=2.0.0", ["1.0.0"], ["2.0.0", "3.0.0"]),
    ],
)
def test_intervals_are_those_between_neighbouring_bounds(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = NPM.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("vers:npm/<2.0.0|>=1.0.0", "vers:npm/>=1.0.0|<2.0.0"),
        ("vers:npm/>=1.0.0|>2.0.0", "vers:npm/>=1.0.0"),
        ("vers:npm/<1.0.0|<=2.0.0", "vers:npm/<=2.0.0"),
        ("vers:npm/>=1.0.0|>=1.0.0|<3.0.0|<4.0.0", "vers:npm/>=1.0.0|<4.0.0"),
    ],
)
def test_unsorted_and_redundant_constraints_are_read_as_they_are_meant(text: str, same: str) -> None:
    probes = [f"{major}.{minor}.0" for major in range(6) for minor in range(2)]
    one, other = NPM.range(text), NPM.range(same)
    assert [v for v in probes if one.contains(v)] == [v for v in probes if other.contains(v)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vers:npm/", "empty constraint"),
        ("vers:npm/|1.0.0", "empty constraint"),
        ("vers:npm/1.0.0|", "empty constraint"),
        ("vers:npm/1.0.0||2.0.0", "empty constraint"),
        ("vers:npm/>=1.0.0| <2.0.0", "white space"),
        ("vers:npm/=1.0.0", "comparator and a version"),
        ("vers:npm/*|1.0.0", "comparator and a version"),
        ("vers:npm/1.0%2G0", "percent"),
        ("vers:npm/1.0.0>2.0.0", "comparator and a version"),
        ("vers:npm/1.0.0*", "comparator and a version"),
        ("vers:npm/1.0.0-\u00e9", "ASCII"),
        ("vers:npm/one", "not a version"),
        ("vers:npm/>1.0.0|<1.0.0", "two different"),
        ("vers:NPM/1.0.0", "form"),
        ("vers:npm", "form"),
        ("vers:maven/1.0", "not the dialect"),
    ],
)
def test_what_is_no_vers_of_the_dialect_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidRange, match=reason):
        NPM.range(text)


@pytest.mark.parametrize("name", [name for name, dialect in SCHEMES.items() if dialect.vers_type])
def test_every_dialect_that_vers_defines_reads_its_own(name: str) -> None:
    dialect = SCHEMES[name]
    found = dialect.range(f"vers:{dialect.vers_type}/>=1.0.0|<2.0.0")
    assert [v for v in ("0.9.0", "1.0.0", "1.9.0", "2.0.0") if found.contains(v)] == ["1.0.0", "1.9.0"]


@pytest.mark.parametrize("name", [name for name, dialect in SCHEMES.items() if not dialect.vers_type])
def test_a_dialect_that_vers_does_not_define_reads_none(name: str) -> None:
    with pytest.raises(InvalidRange, match="not the dialect"):
        SCHEMES[name].range(f"vers:{name}/1.0.0")


def test_a_percent_escape_is_decoded_once() -> None:
    assert vers.read("vers:npm/1.0%252F0").constraints == (("=", "1.0%2F0"),)
    assert scheme("semver").range("vers:semver/1.0.0%2Bbuild").contains("1.0.0")


@pytest.mark.parametrize(
    "text",
    [
        "vers:npm/*",
        "vers:npm/>=1.0.0|<2.0.0",
        "vers:npm/!=0.1.0|1.0.0|!=1.1.0|>=2.0.0|!=2.1.0|<3.0.0|>4.0.0",
        "vers:npm/1.0%252F0",  # as one constraint has no order, its version need have no place in it
    ],
)
def test_a_canonical_vers_keeps_section_5_4(text: str) -> None:
    vers.check_canonical(vers.read(text), NPM.key)
    assert vers.write(vers.read(text), str) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vers:npm/>=2.0.0|<1.0.0", "sorted"),
        ("vers:npm/>=1.0.0|1.0.0", "sorted"),
        ("vers:npm/1.0.0|1.0.0", "sorted"),
        ("vers:npm/>=1.0.0|>2.0.0", "redundant"),
        ("vers:npm/<1.0.0|!=1.5.0|<=2.0.0", "redundant"),
        ("vers:npm/>=1.0.0|1.5.0|<2.0.0", "redundant"),
        ("vers:npm/1.0.0%2bbuild", "capitals"),
    ],
)
def test_what_section_5_4_calls_invalid_is_not_canonical(text: str, reason: str) -> None:
    with pytest.raises(vers.Malformed, match=reason):
        vers.check_canonical(vers.read(text), NPM.key)


def test_a_vers_is_written_in_version_order_with_what_it_must_escape() -> None:
    assert vers.write(vers.read("vers:npm/10.0.0|>=9.0.0|<10.0.0"), NPM.key) == (
        "vers:npm/>=9.0.0|10.0.0|<10.0.0"
    )
    maven = vers.read("vers:maven/2%20%25%3E|1+b_~:/c")
    assert vers.write(maven, scheme("maven").key) == "vers:maven/1+b_~:/c|2%20%25%3E"


@given(st.lists(strategies.releases, min_size=2, max_size=2, unique=True), strategies.releases)
def test_an_interval_is_the_simple_forms(bounds: list[str], version: str) -> None:
    low, high = sorted(bounds, key=NPM.key)
    assert NPM.range(f"vers:npm/>={low}|<{high}").contains(version) == NPM.range(f">={low} <{high}").contains(
        version
    )
