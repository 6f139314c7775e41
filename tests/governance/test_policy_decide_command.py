"""manage.py policy decide: a person's decision on a conflict, recorded and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from governance.models import Conflict
from tests.governance.commanding import one_behind
from tests.ground import Kind

SCENE = Kind(one_behind)
pytestmark = pytest.mark.usefixtures("standing_scene")


def test_conflicts_wait_with_4_until_a_person_decides(
    run_policy: Any, align_files: Path, freeze_file: Path
) -> None:
    run_policy("apply", align_files, "--json")
    assert run_policy("decide", "--json").code == 0
    run_policy("apply", freeze_file, "--json")
    waiting = run_policy("decide", "--json")
    assert waiting.code == 4
    (conflict,) = waiting.json["conflicts"]
    assert "--set-aside" in run_policy("decide").out
    for wrong, told in (
        (["--set-aside", "freeze/hold", "--reason", "r", "--as", "viewer"], "viewer may not decide"),
        (["--set-aside", "freeze/hold", "--reason", "r", "--as", "nobody"], "There is no user “nobody”"),
        (["--set-aside", "freeze", "--reason", "r", "--as", "owner"], "freeze"),
        (["--set-aside", "freeze/hold", "--as", "owner"], "--reason"),
    ):
        refused = run_policy("decide", conflict["id"], *wrong)
        assert refused.code == 2
        assert told in refused.err
    decided = run_policy(
        *("decide", conflict["id"][:8], "--set-aside", "freeze/hold"),
        *("--reason", "The books are closed already.", "--as", "owner", "--json"),
    )
    assert (decided.code, decided.json["decided_by"]) == (0, "owner")
    assert Conflict.objects.get().status == "decided"
    assert run_policy("decide").code == 0


def test_a_decision_is_taken_back_by_one_who_may(
    run_policy: Any, align_files: Path, freeze_file: Path
) -> None:
    for path in (align_files, freeze_file):
        run_policy("apply", path, "--json")
    (conflict,) = run_policy("decide", "--json").json["conflicts"]
    back = ("decide", conflict["id"], "--take-back", "--reason", "Too early.", "--as")
    assert run_policy(*back, "owner").code == 5  # nothing is decided yet
    assert (
        run_policy("decide", conflict["id"], "--way", "1", "--reason", "Agreed.", "--as", "owner").code == 0
    )
    assert run_policy(*back, "owner", "--way", "1").code == 2
    assert run_policy(*back, "viewer").code == 2
    assert run_policy("decide").code == 0
    assert "waits for a person again" in run_policy(*back, "owner").out
    assert run_policy("decide").code == 4


def test_a_way_out_is_chosen_by_its_number(run_policy: Any, align_files: Path, freeze_file: Path) -> None:
    for path in (align_files, freeze_file):
        run_policy("apply", path, "--json")
    shown = run_policy("decide").out
    assert all(
        told in shown for told in ("set 1: freeze/hold keeps crm at 2.3.0", "There are no other such sets.")
    )
    (conflict,) = run_policy("decide", "--json").json["conflicts"]
    said = ("--reason", "Agreed.", "--as", "owner", "--json")
    for wrong in (["0"], ["9"], ["1", "--set-aside", "freeze/hold"]):
        assert run_policy("decide", conflict["id"], "--way", *wrong, *said).code == 2
    way = conflict["ways_out"][1]
    assert run_policy("decide", conflict["id"], "--way", "2", *said).json["set_aside"] == way["set_aside"]
