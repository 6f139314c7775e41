"""npm's versions and ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import InvalidRange, InvalidVersion, npm, npm_range, scheme
from tests.governance.versions import laws, strategies, upstream

NPM = scheme("npm")


@pytest.mark.parametrize("name", ["node-semver", "python-semanticversion"])
def test_upstreams_own_cases_agree(name: str) -> None:
    outcome = upstream.outcome(name)
    assert outcome.disagree == []
    assert outcome.agree > 0


def test_every_range_that_npm_writes_canonically_can_be_read() -> None:
    """And those of which npm says that they are none are refused."""
    for case in upstream.document("node-semver")["cases"]:
        if case["kind"] != "range_canonical" or (case["options"] or {}).get("loose"):
            continue
        if case["expect"] is None:
            with pytest.raises(InvalidRange):
                NPM.range(case["range"])
        else:
            NPM.range(case["range"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4"),
        ("1.2 - 2.3", ">=1.2.0 <2.4.0-0"),
        ("1 - 2", ">=1.0.0 <3.0.0-0"),
        ("x - 2.0.0", "<=2.0.0"),
        ("1.x", ">=1.0.0 <2.0.0-0"),
        ("1.2.*", ">=1.2.0 <1.3.0-0"),
        ("~1.2.3", ">=1.2.3 <1.3.0-0"),
        ("~> 1", ">=1.0.0 <2.0.0-0"),
        ("~1.2.3-beta.2", ">=1.2.3-beta.2 <1.3.0-0"),
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"),
        ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("^0.0", ">=0.0.0 <0.1.0-0"),
        ("^0", ">=0.0.0 <1.0.0-0"),
        ("^1.x", ">=1.0.0 <2.0.0-0"),
        (">1", ">=2.0.0"),
        (">1.2", ">=1.3.0"),
        ("<=1.2", "<1.3.0-0"),
        ("<1.2", "<1.2.0-0"),
        (">=1.2", ">=1.2.0"),
        (">= v1.2.3", ">=1.2.3"),
        ("1.2.3+build", "1.2.3"),
    ],
)
def test_sugar_means_what_npm_documents(written: str, meant: str) -> None:
    probes = [
        f"{major}.{minor}.{patch}{tail}"
        for major in range(4)
        for minor in range(5)
        for patch in range(5)
        for tail in ("", "-0", "-beta.2", "-beta.4")
    ]
    one, other = NPM.range(written), NPM.range(meant)
    assert [v for v in probes if one.contains(v)] == [v for v in probes if other.contains(v)]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("^ = 2.1.0", ["2.1.0", "2.9.0"]),
        ("~ = 2", ["2.0.0", "2.1.0", "2.9.0"]),
        (">==2.1", ["2.1.0", "2.9.0", "3.0.0"]),
        ("= 2.1.0", ["2.1.0"]),
        ("v2.1.0 - v3.0.0", ["2.1.0", "2.9.0", "3.0.0"]),
        ("2.1.0 - = 2", ["2.1.0", "2.9.0"]),
        (">=2.1.0\u00a0<3.0.0", ["2.1.0", "2.9.0"]),
        (">=v0.0.0 || >=3.0.0-rc.1", ["2.0.0", "2.1.0", "2.9.0", "3.0.0-rc.1", "3.0.0"]),
        (">=0.0.0 || >=3.0.0-rc.1", ["2.0.0", "2.1.0", "2.9.0", "3.0.0"]),
    ],
)
def test_odd_spellings_are_read_as_node_semver_7_8_does(text: str, inside: list[str]) -> None:
    probes = ["2.0.0", "2.1.0", "2.9.0", "3.0.0-rc.1", "3.0.0"]
    assert [v for v in probes if NPM.range(text).contains(v)] == inside


def test_the_zeros_of_a_caret_are_told_by_their_text_as_npm_does() -> None:
    key = npm.read("0.2.9")
    assert npm_range.read("^00.1", loose=True, prereleases=True).contains(key)
    assert not npm_range.read("^0.1", loose=True, prereleases=True).contains(key)


def test_numbers_of_pre_releases_count_as_javascript_holds_them() -> None:
    """Beyond 2^53 npm can't tell neighbours apart; SemVer can."""
    pair = ("1.0.0-9007199254740993", "1.0.0-9007199254740992")
    assert NPM.compare(*pair) == 0
    assert NPM.range(pair[0]).contains(pair[1])
    assert scheme("semver").compare(*pair) == 1


def test_alternatives_are_joined_by_two_pipes() -> None:
    found = NPM.range("1.2.7 || >=1.2.9 <2.0.0")
    assert [v for v in ("1.2.7", "1.2.8", "1.2.9", "2.0.0") if found.contains(v)] == ["1.2.7", "1.2.9"]


def test_beside_an_alternative_that_takes_any_release_no_pre_release_gets_in() -> None:
    assert not NPM.range(">=1.0.0-rc.1 || *").contains("1.0.0-rc.2")
    assert NPM.range(">=1.0.0-rc.1 || 2").contains("1.0.0-rc.2")


def test_nothing_is_above_or_below_everything() -> None:
    assert not NPM.range("<*").contains("0.0.0")
    assert not NPM.range(">x").contains("9.9.9")
    assert NPM.range(">x || 1").contains("1.0.0")


@pytest.mark.parametrize(
    "text",
    [
        "1.*.5",
        "x.1.2",
        ">01.02.03",
        "=9007199254740992.0.0",
        "blah",
        "1.2.3 - ",
        "=1.0.0 - 2.0.0",
        "vv1.0.0 - 2.0.0",
        "v 1.0.0 - 2.0.0",
        "1.0.0 - v 2.0.0",
        ">== 1.0.0",
        ">= = 1.0.0",
        ">=1.0.0\x1c<2.0.0",
    ],
)
def test_what_npm_calls_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        NPM.range(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9007199254740992.0.0", "up to 9007199254740991"),
        (f"1.0.0-{'a' * 256}", "longer than 256"),
        ("1.2", "three numbers"),
        ("=1.2.3", "three numbers"),
        ("1.2.3beta", "three numbers"),
    ],
)
def test_what_npm_calls_no_version_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidVersion, match=reason):
        NPM.key(text)


def test_a_leading_v_and_spaces_around_are_npms_too() -> None:
    assert NPM.compare(" v1.2.3 ", "1.2.3") == 0


def test_loose_reading_takes_what_old_packages_hold() -> None:
    assert npm.read("=v 01.2.3beta", loose=True) == npm.read("1.2.3-beta")
    with pytest.raises(InvalidVersion):
        npm.read("1.2", loose=True)


def test_a_vers_range_goes_by_order_alone() -> None:
    found = NPM.range("vers:npm/>=1.0.0|<2.0.0")
    assert found.contains("2.0.0-rc.1")
    assert not found.contains("1.0.0-rc.1")


@given(st.lists(strategies.semantic, min_size=2, max_size=8))
def test_the_order_is_total_and_ranks_follow_it(versions: list[str]) -> None:
    laws.assert_total_order(NPM, versions)
    laws.assert_ranks_follow_keys(NPM, versions)


@given(strategies.releases, strategies.releases)
def test_between_releases_the_simple_form_is_the_order(version: str, bound: str) -> None:
    laws.assert_simple_form_follows_keys(NPM, version, bound)


@given(strategies.releases, strategies.releases)
def test_a_caret_never_leaves_the_first_number_that_is_not_zero(version: str, bound: str) -> None:
    if not NPM.range(f"^{bound}").contains(version):
        return
    first = next((at for at, number in enumerate(bound.split(".")) if number != "0"), 2)
    assert version.split(".")[: first + 1] == bound.split(".")[: first + 1]
