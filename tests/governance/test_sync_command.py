"""manage.py version_policy_sync: what it tells beside its figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.access import SYSTEM
from governance import configuration, policies
from governance.models import Policy
from tests.factories import AT, World
from tests.governance.commanding import ALIGN, FREEZE, Answer, one_behind, shell, write
from tests.ground import Kind

SCENE = Kind(one_behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


@pytest.fixture
def sync(
    acme: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Runs `manage.py version_policy_sync` on the acme group, as a shell would, at AT."""
    monkeypatch.setattr("django.conf.settings.USES_SANDBOX", False)
    return shell(capsys, monkeypatch, "version_policy_sync")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


def test_what_waits_for_a_decision_is_told_with_how_to_see_it(sync: Any, folder: Path) -> None:
    (folder / configuration.BASELINES).write_text(ALIGN + FREEZE.partition("acme:\n")[2])
    told = "`manage.py policy decide --group acme` lists what waits"
    assert f"1 conflict waits for a decision. {told}" in sync("--config", folder, "--dry-run").out
    assert f"Needs a decision. {told}" in sync("--config", folder).out


def test_what_the_files_change_is_told_and_that_they_count_for_more(
    sync: Any, acme: World, folder: Path
) -> None:
    assert "+ policy align" in sync("--config", folder, "--dry-run").out
    in_force = Policy.objects.get(name="align").current
    assert in_force is not None
    rule = {"name": "crm", "plugins": ["crm"], "same": True, "at": "2.3.0"}
    policies.apply(acme.group, {**in_force.document, "rules": [rule]}, actor=SYSTEM, at=AT)
    said = " ".join(sync("--config", folder, "--dry-run").out.split())
    assert f"From the files in {folder}, which count for more than what was done in the console:" in said
    assert "~ policy align" in said
    assert "rules[crm].at: 2.3.0 → 2.4.0" in said
    assert "From the files" not in sync("--config", folder, "--dry-run").out
