"""What may be a slip in what is supposed, releases that are to come among it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.factories import World

RULE = "{name: crm, plugins: [crm], at_least: 2.5.0}"
POLICY = f"{{name: newer, profile: steady, tenants: '*', rules: [{RULE}]}}"
PROFILE = "{name: steady, mode: observe}"

Ask = Callable[..., Any]


@pytest.fixture
def ask(world: World, tmp_path: Path, run_policy: Any) -> Ask:
    """Ask what comes of the text, and of files beside it."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])

    def ask(text: str, *files: Path) -> Any:
        supposed = tmp_path / "supposed.yaml"
        supposed.write_text(text)
        beside = [word for file in files for word in ("--against", file)]
        return run_policy("simulate", "--suppose", supposed, *beside, "--json")

    return ask


def together(releases: str) -> str:
    return f"profiles: [{PROFILE}]\npolicies: [{POLICY}]\nreleases: {releases}\n"


@pytest.mark.parametrize(
    ("releases", "warnings"),
    [
        ("[]", 1),
        ("[{plugin: crm, version: 2.5.0}]", 0),
        ("[{plugin: crm, version: 2.4.5}]", 1),
        ("[{plugin: other, version: 2.5.0}]", 1),
    ],
)
def test_a_version_that_is_supposed_to_come_is_not_warned_of(ask: Ask, releases: str, warnings: int) -> None:
    assert len(ask(together(releases)).json["warnings"]) == warnings


def test_of_two_plugins_only_the_one_that_it_is_of_has_it(ask: Ask, world: World) -> None:
    factories.plugin(world.group, "mail", ["1.0.0"])
    both = together("[{plugin: mail, version: 2.5.0}]").replace("[crm]", "[crm, mail]")
    (warning,) = ask(both).json["warnings"]
    assert "no release of crm" in warning


def test_nor_is_it_where_files_want_it(ask: Ask, tmp_path: Path) -> None:
    profiles, baselines = tmp_path / "policy_profiles.yaml", tmp_path / "multi_tenant_baselines.yaml"
    profiles.write_text(f"version: 1\nprofiles: [{PROFILE}]\n")
    baselines.write_text(f"version: 1\ngroups: {{acme: {{policies: [{POLICY}]}}}}\n")
    for version, warnings in (("2.4.5", 1), ("2.5.0", 0)):
        answer = ask(f"releases: [{{plugin: crm, version: {version}}}]\n", profiles, baselines)
        assert len(answer.json["warnings"]) == warnings


def test_files_may_speak_of_a_plugin_that_is_supposed_to_come(ask: Ask, tmp_path: Path) -> None:
    profiles, baselines = tmp_path / "policy_profiles.yaml", tmp_path / "multi_tenant_baselines.yaml"
    profiles.write_text(f"version: 1\nprofiles: [{PROFILE}]\n")
    fresh = POLICY.replace("[crm]", "[fresh]")
    baselines.write_text(f"version: 1\ngroups: {{acme: {{policies: [{fresh}]}}}}\n")
    answer = ask("releases: [{plugin: fresh, version: 2.5.0}]\n", profiles, baselines)
    assert (answer.code, answer.json["warnings"]) == (0, [])


@pytest.mark.parametrize("version", ["nonsense", "2.5.x"])
def test_a_version_that_is_none_is_refused_at_its_place(ask: Ask, version: str) -> None:
    answer = ask(together(f"[{{plugin: crm, version: {version}}}]"))
    assert answer.code == 1
    (problem,) = answer.json["problems"]
    assert (problem["line"], problem["place"]) == (3, "releases[0].version")


def supposing(releases: str, wish: str = "at_least: 2.5.0", plugin: str = "fresh") -> str:
    return together(releases).replace("[crm]", f"[{plugin}]").replace("at_least: 2.5.0", wish)


def test_of_a_new_plugin_in_two_dialects_the_first_counts(ask: Ask) -> None:
    semver, jenkins = "version: 3.0.0, scheme: semver", "version: a.b, scheme: jenkins"
    for first, second, code in ((semver, jenkins, 1), (jenkins, semver, 0)):
        releases = f"[{{plugin: fresh, {first}}}, {{plugin: fresh, {second}}}]"
        answer = ask(supposing(releases, "exactly: a.b"))
        assert (answer.code, "a.b" in str(answer.json.get("problems"))) == (code, code == 1)


def test_a_known_plugin_keeps_its_dialect(ask: Ask) -> None:
    answer = ask(supposing("[{plugin: crm, version: 2.5.0, scheme: jenkins}]", "at_least: latest", "crm"))
    assert answer.code == 1
    assert "the dialect of crm is semver" in str(answer.json["problems"])


def test_a_dialect_that_there_is_none_is_refused_at_its_place(ask: Ask) -> None:
    answer = ask(supposing("[{plugin: fresh, version: 2.5.0, scheme: bogus}]"))
    assert answer.code == 1
    places = [problem["place"] for problem in answer.json["problems"]]
    assert any(place.startswith("releases[0]") and place.endswith("scheme") for place in places)


@pytest.mark.parametrize(("channel", "warnings"), [("lts", 0), ("edge", 1)])
def test_a_channel_that_is_supposed_to_come_is_not_warned_of(ask: Ask, channel: str, warnings: int) -> None:
    answer = ask(supposing(f"[{{plugin: crm, version: 2.5.0, channel: {channel}}}]", "channel: lts", "crm"))
    assert len(answer.json["warnings"]) == warnings
