"""Maven's order and its bracket ranges."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, scheme
from tests.governance.versions import laws, strategies, upstream

MAVEN = scheme("maven")
# the lists of apache/maven's ComparableVersionTest, lowest first
QUALIFIERS = [
    "1-alpha2snapshot",
    "1-alpha2",
    "1-alpha-123",
    "1-beta-2",
    "1-beta123",
    "1-m2",
    "1-m11",
    "1-rc",
    "1-cr2",
    "1-rc123",
    "1-SNAPSHOT",
    "1",
    "1-sp",
    "1-sp2",
    "1-sp123",
    "1-abc",
    "1-def",
    "1-pom-1",
    "1-1-snapshot",
    "1-1",
    "1-2",
    "1-123",
]
NUMBERS = [
    "2.0",
    "2.0.a",
    "2-1",
    "2.0.2",
    "2.0.123",
    "2.1.0",
    "2.1-a",
    "2.1b",
    "2.1-c",
    "2.1-1",
    "2.1.0.1",
    "2.2",
    "2.123",
    "11.a2",
    "11.a11",
    "11.b2",
    "11.b11",
    "11.m2",
    "11.m11",
    "11",
    "11.a",
    "11b",
    "11c",
    "11m",
]


def test_upstreams_own_cases_agree() -> None:
    outcome = upstream.outcome("maven")
    assert outcome.disagree == []
    assert outcome.agree == outcome.cases > 0


@pytest.mark.parametrize("ordered", [QUALIFIERS, NUMBERS])
def test_upstreams_lists_are_in_order_pair_by_pair(ordered: list[str]) -> None:
    for lower, higher in combinations(ordered, 2):
        assert MAVEN.compare(lower, higher) == -1
        assert MAVEN.compare(higher, lower) == 1


@pytest.mark.parametrize(
    "equals",
    [
        ["1", "1.0", "1.0.0", "1-0", "1.0-0", "1ga", "1-final", "1.0.RELEASE", "01"],
        ["1a", "1-a", "1.0-a", "1.0.0a"],
        ["1-rc1", "1-cr1", "1rc-1", "1.0-RC-1"],
        ["1a1", "1-alpha-1", "1.0-ALPHA1"],
        ["1m3", "1-milestone-3"],
    ],
)
def test_different_spellings_are_one_version(equals: list[str]) -> None:
    for a, b in combinations(equals, 2):
        assert MAVEN.compare(a, b) == 0
        assert MAVEN.key(a) == MAVEN.key(b)


@pytest.mark.parametrize(
    "chain",
    [
        ["6.1.0rc3", "6.1.0", "6.1H.5-beta"],
        [
            "20190126.230843",
            "1234567890.12345",
            "123456789012345.1H.5-beta",
            "12345678901234567890.1H.5-beta",
        ],
        ["1-0.alpha", "1-0.beta", "1"],
        ["1", "1-ga1", "1-ga2"],
        ["1.0-alpha-1-SNAPSHOT", "1.0-alpha-1", "1.0-SNAPSHOT", "1.0", "1.0-1"],
        ["é", "1"],
    ],
)
def test_known_traps_are_in_order(chain: list[str]) -> None:
    for lower, higher in combinations(chain, 2):
        assert MAVEN.compare(lower, higher) == -1


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[1.0,2.0)", ["1.0", "1.9", "2.0-SNAPSHOT"], ["2.0", "1.0-rc1"]),
        ("(1.0,2.0]", ["1.1", "2.0"], ["1.0", "2.1"]),
        ("[1.5]", ["1.5", "1.5.0"], ["1.5.1"]),
        ("[1.5,)", ["1.5", "99"], ["1.4"]),
        ("(,1.0],[1.2,)", ["0.1", "1.0", "1.2"], ["1.1"]),
        ("[ 1.0 , 1.2 ] , [ 2.0 , 2.1 ]", ["1.1", "2.0"], ["1.5"]),
        ("[1.2.*]", ["1.2", "1.2.9", "1.2-rc1"], ["1.3", "1.1"]),
        ("[1.0.*]", ["1", "1.0.5"], ["1.1"]),
        ("[0.2.*]", ["0.2", ".2", "0.2.1"], ["0.3"]),
        ("[1.2.*],[2.0]", ["1.2.9", "2.0"], ["1.3", "2.1"]),
        ("[1,2.*]", ["1", "1.9", "2-*"], ["2.1", "3"]),
        ("[]", ["0", "0.0"], ["1"]),
        ("[,]", ["0", "99"], []),
        ("1.0", ["1.0", "0.1", "99"], []),
        ("", ["0.1", "99"], []),
        (">=2.4 <3", ["2.4", "2.99", "3-rc1"], ["2.3", "3.0"]),
        ("!=1.3", ["1.2", "1.3.1"], ["1.3", "1.3.0"]),
        ("=1.3", ["1.3.0"], ["1.3.1"]),
        ("vers:maven/>=1.0|<2.0", ["1.0", "2.0-rc1"], ["2.0", "1.0-rc1"]),
    ],
)
def test_ranges_are_mavens_with_the_simple_form_beside(
    text: str, inside: list[str], outside: list[str]
) -> None:
    """A bare version is a wish only, as in a POM, and holds for everything."""
    found = MAVEN.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


@pytest.mark.parametrize(
    "text",
    [
        "[1.0",
        "[1.0)",
        "(1.0]",
        "[1.0,1.0)",
        "[2.0,1.0]",
        "[1.0,1.2),1.3",
        "(1.1,1.2],[1.0,1.1)",
        "(1,2,3)",
        "^1.0",
        "1.0 || 2.0",
        "1.0 - 2.0",
        "1.0 <2",
        "[a.*]",
        "[1,2]x",
    ],
)
def test_what_maven_calls_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        MAVEN.range(text)


@pytest.mark.parametrize("text", ["", "  ", "1" * 257, "\u0668rc1"])
def test_what_maven_calls_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion):
        MAVEN.key(text)


def test_parts_and_pre_releases_are_known() -> None:
    assert MAVEN.parts("1.2.3.Final") == (1, 2, 3)
    assert MAVEN.parts("Finchley.SR2") is None
    assert [
        v for v in ("1.0-rc1", "1.0-SNAPSHOT", "1.0b2", "1.0-sp1", "1.0", "1.0-jre") if MAVEN.is_prerelease(v)
    ] == [
        "1.0-rc1",
        "1.0-SNAPSHOT",
        "1.0b2",
    ]


@given(st.lists(strategies.maven, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(MAVEN, versions)
    laws.assert_ranks_follow_keys(MAVEN, versions)


@given(strategies.maven, strategies.maven)
def test_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(MAVEN, version, bound)


@given(strategies.maven, strategies.maven, strategies.maven)
def test_a_bracket_says_what_its_bounds_say(version: str, one: str, other: str) -> None:
    low, high = sorted((one, other), key=MAVEN.key)
    between = not MAVEN.key(version) < MAVEN.key(low) and not MAVEN.key(high) < MAVEN.key(version)
    assert MAVEN.range(f"[{low},{high}]").contains(version) == between
