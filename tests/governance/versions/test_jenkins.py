"""Jenkins' VersionNumber."""

from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, ranks, scheme
from tests.governance.versions import laws, strategies, upstream

JENKINS = scheme("jenkins")


@pytest.mark.parametrize("name", ["jenkins-versionnumber", "jenkins-order"])
def test_upstreams_own_cases_agree(name: str) -> None:
    outcome = upstream.outcome(name)
    assert outcome.disagree == []
    assert outcome.agree > 0


def test_the_order_of_real_plugins_carries_over_from_neighbours_to_all_pairs() -> None:
    for order in list(upstream.document("jenkins-order")["order"].values())[:100]:
        laws.assert_total_order(JENKINS, [version for equals in order for version in equals][:20])


@pytest.mark.parametrize(
    "chain",
    [
        ["1.1", "391.ve4a_8c5c3f54a", "400.v35c2d8258028"],
        ["1.0-alpha-1", "1.0-beta-1", "1.0-rc1", "1.0", "1.0-1", "1.0.1"],
        ["2.0-SNAPSHOT", "2.0-alpha-1", "2.0"],
        ["2.0.ea", "2.0.ea1", "2.0"],
        ["1.303-400.v35c2d8258028", "1.303-401.v00000000000", "1.304"],
        ["2.0", "2.0.1", "2.0.99", "2.0.*", "2.1"],
        ["4.5.5-1.0", "4.5.5-2.0", "4.5.10-1.0"],
        ["1.8", "1.8.sp"],
        ["1.0.3-jenkins-1", "1.0.3-1"],
        ["1.0𝟎01", "1.001"],  # Java sees no digit in what takes two of its chars
    ],
)
def test_known_traps_are_in_order(chain: list[str]) -> None:
    for lower, higher in combinations(chain, 2):
        assert JENKINS.compare(lower, higher) == -1
        assert JENKINS.compare(higher, lower) == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("2.0", "2.0.0"),
        ("1.0-GA", "1"),
        ("2.0.ea", "2.0.rc"),
        ("1.0-a1", "1.0-alpha-1"),
        ("1.0-cr1", "1.0-RC1"),
        ("01.2", "1.02"),
        ("1-0", "1"),
    ],
)
def test_equal_is_not_identical(a: str, b: str) -> None:
    assert JENKINS.compare(a, b) == 0
    assert JENKINS.key(a) == JENKINS.key(b)


def test_a_literal_snapshot_equals_its_timestamped_builds_but_ranks_before_them() -> None:
    literal, earlier, later = "2.0-SNAPSHOT (private)", "2.0-20170207.105042-1", "2.0-20170207.105043-2"
    assert JENKINS.compare(literal, earlier) == JENKINS.compare(later, literal) == 0
    assert JENKINS.compare(earlier, later) == -1
    for lower, higher in pairwise((literal, earlier, later, "2.0")):
        assert JENKINS.key(lower) < JENKINS.key(higher)


def test_versions_that_upstream_puts_in_a_circle_still_rank_the_same_in_any_order_of_input() -> None:
    circle = ["6.1.0rc3", "6.1.0", "6.1h"]
    assert [JENKINS.compare(a, b) for a, b in pairwise([*circle, circle[0]])] == [-1, -1, -1]
    found = [ranks("jenkins", versions) for versions in permutations(circle)]
    assert all(ranked == found[0] for ranked in found)


def test_a_version_without_text_is_refused() -> None:
    for text in ("", "  "):
        with pytest.raises(InvalidVersion):
            JENKINS.key(text)


def test_a_key_knows_only_keys_of_its_kind() -> None:
    assert JENKINS.key("1.0") != "1.0"


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (
            ">=1.303-400.v35c2d8258028",
            ["1.303-400.v35c2d8258028", "1.303-401.v0", "2.0"],
            ["1.303-399.vffff", "1.303"],
        ),
        (">=2.361.4 <2.400", ["2.361.4", "2.399.9"], ["2.361.3", "2.400"]),
        ("=2.0", ["2.0", "2.0.0"], ["2.0.1"]),
        ("2.0", ["2.0", "2.0.0"], ["2.0.1"]),
        ("!=2.0", ["2.0.1"], ["2.0.0"]),
        ("*", ["0", "pppp"], []),
        ("", ["0", "pppp"], []),
    ],
)
def test_ranges_are_of_the_simple_form(text: str, inside: list[str], outside: list[str]) -> None:
    found = JENKINS.range(text)
    assert [v for v in inside + outside if found.contains(v)] == inside


@pytest.mark.parametrize(
    "text", [">=", ">= <2", "1.0 || 2.0", "^1.0", "~1.0", ">1,2", "vers:jenkins/1.0", "vers:maven/1.0"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        JENKINS.range(text)


def test_parts_and_pre_releases_are_known() -> None:
    assert JENKINS.parts("2.361.4") == (2, 361, 4)
    assert JENKINS.parts("391.ve4a_8c5c3f54a") == (391, 0, 0)
    assert JENKINS.parts("pppp") is None
    assert [
        v for v in ("1.0-rc1", "1.0-SNAPSHOT", "391.ve4a_8c", "1.0.*", "2.0.ea1") if JENKINS.is_prerelease(v)
    ] == [
        "1.0-rc1",
        "1.0-SNAPSHOT",
        "2.0.ea1",
    ]


@given(st.lists(strategies.jenkins, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(JENKINS, versions)
    laws.assert_ranks_follow_keys(JENKINS, versions)


@given(strategies.jenkins, strategies.jenkins)
def test_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(JENKINS, version, bound)


@given(st.integers(1, 400), strategies.hashes, strategies.hashes)
def test_the_hash_never_outweighs_the_number_before_it(number: int, one: str, other: str) -> None:
    assert JENKINS.compare(f"{number}.v{one}", f"{number + 1}.v{other}") == -1
