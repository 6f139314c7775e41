"""Rule documents read, and refused with place and reason."""

from typing import Any

import pytest

from governance import rules
from governance.rules import RuleError, Wish


def rule(**fields: Any) -> dict[str, Any]:
    return {"name": "crm", "plugins": ["crm"], **fields}


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        ({"range": ">=2.4 <3"}, Wish("range", {"range": ">=2.4 <3"})),
        ({"at_least": "2.4.0"}, Wish("range", {"at_least": "2.4.0"})),
        ({"at_most": "2.4.0"}, Wish("range", {"at_most": "2.4.0"})),
        ({"exactly": "2.4.0"}, Wish("range", {"exactly": "2.4.0"})),
        ({"same": True}, Wish("same", {})),
        ({"same": True, "at": "2.4.0"}, Wish("same", {"at": "2.4.0"})),
        ({"within": {"minor": 1, "channel": "lts"}}, Wish("within", {"minor": 1, "channel": "lts"})),
        ({"within": {"releases": 0}}, Wish("within", {"releases": 0})),
        ({"channel": "lts"}, Wish("channel", {"channel": "lts"})),
        ({"min_age": "14d"}, Wish("min_age", {"min_age": "14d"})),
        ({"deny": "<2"}, Wish("deny", {"deny": "<2"})),
        ({"deny": "vulnerable"}, Wish("deny", {"deny": "vulnerable"})),
        ({"present": True}, Wish("present")),
        ({"absent": True}, Wish("absent")),
        ({"hold": True}, Wish("hold")),
    ],
)
def test_each_kind_is_read(value: dict[str, Any], wish: Wish) -> None:
    assert rules.parse(rule(**value), "rules[0]").wish == wish


@pytest.mark.parametrize(
    ("document", "path", "reason"),
    [
        (rule(), "rules[0]", "exactly one of"),
        (rule(range=">=1", channel="lts"), "rules[0]", "not range and channel"),
        (rule(range=""), "rules[0].range", "isn't empty"),
        (rule(range=">=1", at="1"), "rules[0].at", "doesn't belong"),
        (rule(range=">=1", colour="red"), "rules[0].colour", "doesn't belong"),
        (rule(same=False), "rules[0].same", "either true or left out"),
        (rule(present="yes"), "rules[0].present", "either true or left out"),
        (rule(within=3), "rules[0].within", "mapping"),
        (rule(within={"channel": "lts"}), "rules[0].within", "how far behind"),
        (rule(within={"minor": -1}), "rules[0].within.minor", "whole number"),
        (rule(within={"minor": True}), "rules[0].within.minor", "whole number"),
        (rule(within={"weeks": 1}), "rules[0].within.weeks", "none of major"),
        (rule(min_age="soon"), "rules[0].min_age", "not a length of time"),
        (rule(name="no spaces", range=">=1"), "rules[0].name", "letters, digits"),
        (rule(name="profile-vulnerable", range=">=1"), "rules[0].name", "profile's own"),
        (rule(plugins=[], range=">=1"), "rules[0].plugins", "list of plugin names"),
        (rule(plugins="crm", range=">=1"), "rules[0].plugins", "list of plugin names"),
        (rule(plugins=["crm", ""], range=">=1"), "rules[0].plugins[1]", "isn't empty"),
        (rule(plugins="*", range=">=1"), "rules[0].range", "named plugins only"),
        (rule(plugins="*", same=True, at="1"), "rules[0].at", "named plugins only"),
        (rule(plugins="*", present=True), "rules[0].present", "name the plugins"),
        (rule(plugins="*", absent=True), "rules[0].absent", "name the plugins"),
        (rule(severity="huge", range=">=1"), "rules[0].severity", "one of low"),
        (rule(weight=-1, range=">=1"), "rules[0].weight", "whole number"),
        (rule(range=">=1", tenants={"town": "x"}), "rules[0].tenants.town", "none of keys"),
        (rule(range=">=1", variants={}), "rules[0].variants", "list of variants"),
        (
            rule(range=">=1", variants=[{"name": "eu", "tenants": {"town": "x"}, "range": ">=2"}]),
            "rules[0].variants[0].tenants.town",
            "none of keys",
        ),
        (rule(range=">=1", variants=[{"name": "eu", "tenants": "*"}]), "rules[0].variants[0]", "exactly one"),
    ],
)
def test_a_document_that_cannot_be_understood_is_refused_with_place_and_reason(
    document: dict[str, Any], path: str, reason: str
) -> None:
    with pytest.raises(RuleError) as refused:
        rules.parse(document, "rules[0]")
    assert refused.value.path == path
    assert reason in refused.value.reason


def test_a_name_is_used_once_in_a_policy() -> None:
    with pytest.raises(RuleError, match=r"rules\[1\]\.name: another rule is named “crm” too"):
        rules.parse_all([rule(range=">=1"), rule(range=">=2")])


def test_a_variants_name_is_used_once_in_a_rule() -> None:
    twice = [{"name": "eu", "tenants": "*", "range": ">=2"}] * 2
    with pytest.raises(RuleError, match=r"rules\[0\]\.variants\[1\]\.name: another variant"):
        rules.parse_all([rule(range=">=1", variants=twice)])


def test_a_plugin_named_twice_counts_once() -> None:
    assert rules.parse(rule(plugins=["crm", "crm"], range=">=1"), "").plugins == ("crm",)


def test_a_variant_may_want_something_of_another_kind() -> None:
    read = rules.parse(
        rule(range=">=1", variants=[{"name": "eu", "tenants": {"keys": ["a"]}, "absent": True}]), ""
    )
    assert [(variant.name, variant.wish.kind) for variant in read.variants] == [("eu", "absent")]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"range": ">=two"}, "rules[0].range"),
        ({"at_least": "two"}, "rules[0].at_least"),
        ({"same": True, "at": "two"}, "rules[0].at"),
        ({"deny": ">=two"}, "rules[0].deny"),
        (
            {"deny": "vulnerable", "variants": [{"name": "eu", "tenants": "*", "exactly": "two"}]},
            "rules[0].variants[0].exactly",
        ),
    ],
)
def test_a_version_that_the_plugins_dialect_cannot_read_is_refused(value: dict[str, Any], path: str) -> None:
    (read,) = rules.parse_all([rule(**value)])
    with pytest.raises(RuleError, match="the dialect of crm is semver") as refused:
        rules.check_dialects(read, {"crm": "semver"})
    assert refused.value.path == path


def test_a_plugin_that_the_catalogue_does_not_know_is_refused() -> None:
    (read,) = rules.parse_all([rule(plugins=["crm", "crn"], range=">=1")])
    with pytest.raises(RuleError) as refused:
        rules.check_dialects(read, {"crm": "semver", "mail": "semver"})
    reason = "the catalogue has no plugin “crn”; did you mean “crm”?"
    assert str(refused.value) == f"rules[0].plugins[1]: {reason}"


def test_an_unknown_plugin_may_be_forbidden() -> None:
    (read,) = rules.parse_all([rule(plugins=["malware"], absent=True)])
    rules.check_dialects(read, {})
