"""Commands need nothing that a process on standby has loaded for them."""

import subprocess
import sys

import pytest

from tests.journeys.standby import LOADED, ROOT


@pytest.mark.parametrize("name", sorted(set(LOADED) - {"shell"}))
def test_a_command_can_be_loaded_by_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert name in done.stdout
