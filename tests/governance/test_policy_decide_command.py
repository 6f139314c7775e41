"""manage.py policy decide: a person's decision on a conflict, recorded and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.models import Conflict
from tests.factories import World
from tests.governance.commanding import FREEZE, Answer, one_behind, shell, write
from tests.ground import Kind

SCENE = Kind(one_behind)


@pytest.fixture
def policy(
    standing_scene: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    return shell(capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    path = tmp_path / "hold" / "hold.yaml"
    path.parent.mkdir()
    path.write_text(FREEZE)
    return path


def test_conflicts_wait_with_4_until_a_person_decides(policy: Any, folder: Path, hold: Path) -> None:
    policy("apply", folder, "--json")
    assert policy("decide", "--json").code == 0
    policy("apply", hold, "--json")
    waiting = policy("decide", "--json")
    assert waiting.code == 4
    (conflict,) = waiting.json["conflicts"]
    assert "--set-aside" in policy("decide").out
    for wrong, told in (
        (["--set-aside", "freeze/hold", "--reason", "r", "--as", "viewer"], "viewer may not decide"),
        (["--set-aside", "freeze/hold", "--reason", "r", "--as", "nobody"], "There is no user “nobody”"),
        (["--set-aside", "freeze", "--reason", "r", "--as", "owner"], "freeze"),
        (["--set-aside", "freeze/hold", "--as", "owner"], "--reason"),
    ):
        refused = policy("decide", conflict["id"], *wrong)
        assert refused.code == 2
        assert told in refused.err
    decided = policy(
        *("decide", conflict["id"][:8], "--set-aside", "freeze/hold"),
        *("--reason", "The books are closed already.", "--as", "owner", "--json"),
    )
    assert (decided.code, decided.json["decided_by"]) == (0, "owner")
    assert Conflict.objects.get().status == "decided"
    assert policy("decide").code == 0


def test_a_decision_is_taken_back_by_one_who_may(policy: Any, folder: Path, hold: Path) -> None:
    for path in (folder, hold):
        policy("apply", path, "--json")
    (conflict,) = policy("decide", "--json").json["conflicts"]
    back = ("decide", conflict["id"], "--take-back", "--reason", "Too early.", "--as")
    assert policy(*back, "owner").code == 5  # nothing is decided yet
    assert policy("decide", conflict["id"], "--way", "1", "--reason", "Agreed.", "--as", "owner").code == 0
    assert policy(*back, "owner", "--way", "1").code == 2
    assert policy(*back, "viewer").code == 2
    assert policy("decide").code == 0
    assert "waits for a person again" in policy(*back, "owner").out
    assert policy("decide").code == 4


def test_a_way_out_is_chosen_by_its_number(policy: Any, folder: Path, hold: Path) -> None:
    for path in (folder, hold):
        policy("apply", path, "--json")
    shown = policy("decide").out
    assert all(
        told in shown for told in ("set 1: freeze/hold keeps crm at 2.3.0", "There are no other such sets.")
    )
    (conflict,) = policy("decide", "--json").json["conflicts"]
    said = ("--reason", "Agreed.", "--as", "owner", "--json")
    for wrong in (["0"], ["9"], ["1", "--set-aside", "freeze/hold"]):
        assert policy("decide", conflict["id"], "--way", *wrong, *said).code == 2
    way = conflict["ways_out"][1]
    assert policy("decide", conflict["id"], "--way", "2", *said).json["set_aside"] == way["set_aside"]
