"""Which releases break each kind of rule."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance import rules
from governance.rules import ReleaseFacts, Wish

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VERSIONS = ("1.0.0", "1.9.0", "2.0.0", "2.0.1", "2.4.0", "3.0.0-rc.1", "3.0.0")


def facts(changed: Mapping[str, Mapping[str, Any]] | None = None) -> list[ReleaseFacts]:
    """The releases, ten days apart, the newest out for ten days; some of them changed."""
    made = [
        ReleaseFacts(
            id=rank,
            version=version,
            rank=rank,
            released_at=AT - timedelta(days=10 * (len(VERSIONS) - rank + 1)),
            prerelease="-" in version,
        )
        for rank, version in enumerate(VERSIONS, start=1)
    ]
    return [replace(release, **(changed or {}).get(release.version, {})) for release in made]


def breaking(kind: str, releases: Sequence[ReleaseFacts] | None = None, /, **value: Any) -> set[str]:
    """The versions that break the rule."""
    judged = facts() if releases is None else releases
    target = value.pop("target", None)
    ids = rules.violating(Wish(kind, value), judged, dialect="semver", at=AT, target=target)
    return {release.version for release in judged if release.id in ids}


@pytest.mark.parametrize(
    ("bound", "text", "broken"),
    [
        ("range", ">=2.0.0 <3.0.0", {"1.0.0", "1.9.0", "3.0.0"}),
        ("at_least", "2.0.1", {"1.0.0", "1.9.0", "2.0.0"}),
        ("at_most", "2.0.0", {"2.0.1", "2.4.0", "3.0.0-rc.1", "3.0.0"}),
        ("exactly", "2.4.0", {*VERSIONS} - {"2.4.0"}),
        ("exactly", "9.9.9", {*VERSIONS}),
    ],
)
def test_a_range_is_broken_by_what_is_outside(bound: str, text: str, broken: set[str]) -> None:
    assert breaking("range", **{bound: text}) - {"3.0.0-rc.1"} == broken - {"3.0.0-rc.1"}


def test_exactly_means_equal_and_not_identical() -> None:
    build = [ReleaseFacts(1, "1.0.0", 1), ReleaseFacts(2, "1.0.0+7", 1), ReleaseFacts(3, "1.0.1", 2)]
    assert breaking("range", build, exactly="1.0.0") == {"1.0.1"}


def test_the_same_at_a_version_is_broken_by_every_other() -> None:
    assert breaking("same", at="2.4.0") == {*VERSIONS} - {"2.4.0"}


def test_the_same_is_broken_by_everything_but_its_target() -> None:
    assert breaking("same", target=3) == {*VERSIONS} - {"2.0.0"}


def test_the_same_without_a_target_is_broken_by_nothing() -> None:
    assert breaking("same") == set()


@pytest.mark.parametrize(
    ("distance", "broken"),
    [
        ({"major": 0}, {"1.0.0", "1.9.0", "2.0.0", "2.0.1", "2.4.0"}),
        ({"major": 1}, {"1.0.0", "1.9.0"}),
        ({"minor": 0}, {"1.0.0", "1.9.0", "2.0.0", "2.0.1", "2.4.0"}),
        ({"minor": 1}, {"1.0.0", "1.9.0", "2.0.0", "2.0.1"}),
        ({"minor": 2}, {"1.0.0", "1.9.0"}),
        ({"patch": 1}, {"1.0.0", "1.9.0", "2.0.0", "2.0.1"}),
        ({"releases": 2}, {"1.0.0", "1.9.0", "2.0.0"}),
        ({"releases": 99}, set()),
        ({"major": 1, "releases": 1}, {"1.0.0", "1.9.0", "2.0.0", "2.0.1"}),
    ],
)
def test_within_counts_the_lines_that_were_released(distance: dict[str, int], broken: set[str]) -> None:
    assert breaking("within", **distance) - {"3.0.0-rc.1"} == broken


def test_a_pre_release_of_a_line_that_is_near_enough_is_allowed() -> None:
    assert "3.0.0-rc.1" not in breaking("within", minor=0)


def test_within_a_channel_counts_its_releases_and_allows_what_is_ahead() -> None:
    channels = facts({"1.9.0": {"channel": "lts"}, "2.0.1": {"channel": "lts"}})
    assert breaking("within", channels, releases=0, channel="lts") == {"1.0.0", "1.9.0", "2.0.0"}
    assert breaking("within", channels, releases=1, channel="lts") == {"1.0.0"}


@pytest.mark.parametrize(
    "unfit",
    [
        {"withdrawn": True},
        {"catalogued": False},
        {"released_at": AT + timedelta(days=1)},
        {"prerelease": True},
    ],
)
def test_within_does_not_count_from_a_release_that_nobody_should_have(unfit: dict[str, Any]) -> None:
    assert breaking("within", facts({"3.0.0": unfit}), major=0) == {"1.0.0", "1.9.0"}


def test_within_an_empty_channel_breaks_nothing() -> None:
    assert breaking("within", minor=0, channel="lts") == set()


def test_a_channel_is_broken_by_releases_of_others() -> None:
    lts = facts({"2.4.0": {"channel": "lts"}, "3.0.0": {"channel": "edge"}})
    assert breaking("channel", lts, channel="lts") == {*VERSIONS} - {"2.4.0"}


def test_a_minimum_age_is_broken_by_the_young_and_those_without_a_date() -> None:
    undated = facts({"1.0.0": {"released_at": None}})
    assert breaking("min_age", undated, min_age="20d") == {"1.0.0", "3.0.0"}


def test_denied_releases_break_the_rule() -> None:
    known = facts({"2.0.0": {"vulnerable": True}, "2.4.0": {"withdrawn": True}})
    assert breaking("deny", known, deny="vulnerable") == {"2.0.0"}
    assert breaking("deny", known, deny="withdrawn") == {"2.4.0"}
    assert breaking("deny", known, deny="<2.0.0") == {"1.0.0", "1.9.0"}


def test_every_release_of_a_forbidden_plugin_breaks_the_rule() -> None:
    assert breaking("absent") == {*VERSIONS}


@pytest.mark.parametrize("kind", ["present", "hold"])
def test_no_release_breaks_a_hold_or_that_a_plugin_must_be_there(kind: str) -> None:
    assert breaking(kind) == set()


def test_a_minimum_age_changes_when_the_next_release_comes_of_age() -> None:
    wish = Wish("min_age", {"min_age": "20d"})
    assert rules.next_change(wish, facts(), AT) == AT + timedelta(days=10)
    assert rules.next_change(wish, facts(), AT + timedelta(days=10)) is None


@pytest.mark.parametrize("wish", [Wish("within", {"minor": 0}), Wish("same", {})])
def test_what_is_measured_from_the_newest_changes_with_the_next_release(wish: Wish) -> None:
    announced = facts({"3.0.0": {"released_at": AT + timedelta(days=3)}})
    assert rules.next_change(wish, announced, AT) == AT + timedelta(days=3)
    assert rules.next_change(wish, facts(), AT) is None


def test_time_alone_changes_no_range() -> None:
    announced = facts({"3.0.0": {"released_at": AT + timedelta(days=3)}})
    assert rules.next_change(Wish("range", {"range": "*"}), announced, AT) is None
    assert rules.next_change(Wish("same", {"at": "1.0.0"}), announced, AT) is None
