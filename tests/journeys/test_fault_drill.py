"""Everything goes wrong at once, on a small scale, and every promise of execution is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.journeys.standby import ROOT

WITHIN = 400.0  # seconds, on a machine that does other things as well


def test_no_promise_is_broken_whatever_goes_wrong() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "manage.py", "fault_drill", "--tasks", "20", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert [verdict for verdict in told["promises"] if not verdict["kept"]] == []
    assert told["course"]["mischief"] == {
        "workers_killed": 3,
        "database_restarts": 1,
        "orchestrator_absences": 1,
    }
    assert done.returncode == 0
