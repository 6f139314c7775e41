"""Small worlds of which the answer is plain, through all that replays cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from governance.cases import replay

Policy = dict[str, Any]


def release(host_max: int = 3, *requires: str) -> dict[str, Any]:
    needed = [{"plugin": plugin, "lo": 1, "hi": 2, "optional": False} for plugin in requires]
    return {"host_min": 1, "host_max": host_max, "requires": needed}


# C@1 doesn't run on the newest host, and C@2 needs A.
CLIMBING = {"A@1": release(), "A@2": release(), "C@1": release(2), "C@2": release(3, "A")}


def world(policies: list[Policy], *tenants: dict[str, int], **more: Any) -> dict[str, Any]:
    """Tenants on host 2, with these installed."""
    return {
        "plugins": ["A", "C"],
        "versions": 2,
        "hosts": 3,
        "releases": CLIMBING,
        "tenants": [{"host": 2, "installed": installed} for installed in tenants],
        "policies": [{"tenant": 0, **policy} for policy in policies],
        **more,
    }


def agrees(tmp_path: Path, case: dict[str, Any], **expect: Any) -> bool:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{**case, "expect": expect}]}))
    outcome = replay.replay(path)
    return outcome.agree == outcome.cases == 1


FORBID, HOLD = {"type": "forbid", "plugin": "A"}, {"type": "hold", "plugin": "A"}
RAISE, FIX = {"type": "host_min", "host": 3}, {"type": "host_fix"}


def test_rules_that_hide_each_other_behind_two_conflicts_are_found(tmp_path: Path) -> None:
    """A can neither go nor stay, and the host neither rise nor stay; but to rise, it needs A to stay."""
    case = world([FORBID, HOLD, RAISE, FIX], {"A": 1, "C": 1})
    assert agrees(tmp_path, case, satisfiable=False, minimal_conflicts=[[0, 1], [0, 2], [2, 3]])


def test_more_sets_than_people_are_told_are_all_compared(tmp_path: Path) -> None:
    low = [{"type": "range", "plugin": "A", "lo": 1, "hi": 1}] * 6
    high = [{"type": "range", "plugin": "A", "lo": 2, "hi": 2}] * 6
    pairs = [[one, other] for one in range(6) for other in range(6, 12)]
    case = world([*low, *high], {"A": 1})
    assert agrees(tmp_path, case, satisfiable=False, minimal_conflicts=pairs)


def test_nothing_stands_against_one_version_of_what_nobody_can_have(tmp_path: Path) -> None:
    same = {"type": "same", "plugin": "B", "tenant": None}
    case = world([same], {}, {}, plugins=["A", "B", "C"])
    assert agrees(tmp_path, case, satisfiable=True, min_changes=0)


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        ({"type": "range", "plugin": "A", "lo": 0, "hi": 9}, 0),
        ({"type": "range", "plugin": "A", "lo": 2, "hi": 9}, 1),
        ({"type": "forbid", "plugin": "B"}, 0),
        ({"type": "range", "plugin": "B", "lo": 1, "hi": 1}, 0),
    ],
)
def test_a_bound_or_plugin_that_is_not_there_still_means_something(
    tmp_path: Path, policy: Policy, changes: int
) -> None:
    assert agrees(tmp_path, world([policy], {"A": 1}), satisfiable=True, min_changes=changes)


@pytest.mark.parametrize(
    "policy", [{"type": "require", "plugin": "B"}, {"type": "host_min", "host": 9}], ids=["plugin", "host"]
)
def test_what_there_is_no_release_for_can_not_be_had(tmp_path: Path, policy: Policy) -> None:
    assert agrees(tmp_path, world([policy], {"A": 1}), satisfiable=False, minimal_conflicts=[[0]])
