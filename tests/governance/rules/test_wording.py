"""Rules in words."""

from typing import Any

import pytest

from governance import rules
from governance.rules import Wish


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("range", {"range": ">=2.4 <3"}, "crm must be in the range >=2.4 <3"),
        ("range", {"at_least": "2.4"}, "crm must be 2.4 or newer"),
        ("range", {"at_most": "2.4"}, "crm must be 2.4 or older"),
        ("range", {"exactly": "2.4"}, "crm must be 2.4"),
        ("same", {}, "crm must be the same version in every selected tenant"),
        ("same", {"at": "2.4"}, "crm must be 2.4 in every selected tenant"),
        ("within", {"minor": 1}, "crm must be at most 1 minor version behind the newest release"),
        (
            "within",
            {"releases": 3, "channel": "lts"},
            "crm must be at most 3 releases behind the newest release of the channel lts",
        ),
        ("channel", {"channel": "lts"}, "crm must come from the channel lts"),
        ("min_age", {"min_age": "2 weeks"}, "crm must have been out for 2 weeks"),
        ("min_age", {"min_age": "1d"}, "crm must have been out for 1 day"),
        ("deny", {"deny": "vulnerable"}, "crm must have no security warning"),
        ("deny", {"deny": "withdrawn"}, "crm must not be withdrawn"),
        ("deny", {"deny": "<2"}, "crm must not be in the range <2"),
        ("present", {}, "crm must be installed"),
        ("absent", {}, "crm must not be installed"),
        ("hold", {}, "crm must stay as installed"),
    ],
)
def test_a_rule_reads_as_a_sentence(kind: str, value: dict[str, Any], text: str) -> None:
    assert rules.says(Wish(kind, value), ["crm"]) == text


def test_several_plugins_are_listed() -> None:
    assert rules.says(Wish("absent"), ["a", "b", "c"]) == "a, b and c must not be installed"


def test_a_rule_of_every_plugin_says_so() -> None:
    vulnerable = Wish("deny", {"deny": "vulnerable"})
    assert rules.says(vulnerable, None) == "every plugin must have no security warning"
