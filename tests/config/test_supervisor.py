"""Services kept running, and nothing left behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from config.supervisor import Child, Service
from tests.config.conftest import processes_of


def _service(tmp_path: Path, program: str, grace: float = 5) -> Service:
    # The directory marks the process as ours, and its children with it.
    marked = {"PLUMBLINE_TEST_MARK": str(tmp_path)}
    return Service("test", (sys.executable, "-c", program), tmp_path / "log", marked, grace)


def _wait_for(tmp_path: Path, text: str) -> None:
    for _ in range(200):
        if (tmp_path / "log").exists() and text in (tmp_path / "log").read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"the service never said {text!r}")


SERVES = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SERVES
WITH_CHILD = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import signal, time;"
    'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("ready", flush=True); time.sleep(60)\']);'
    "time.sleep(60)"
)


@pytest.mark.parametrize("program", [SERVES, STUBBORN, WITH_CHILD])
def test_ending_a_service_leaves_no_process_of_it(tmp_path: Path, program: str) -> None:
    child = Child(_service(tmp_path, program, grace=0.5))
    child.tend()
    _wait_for(tmp_path, "ready")
    child.end()
    assert processes_of(tmp_path) == set()
    child.end()  # of what isn't there, nothing happens


def test_the_end_is_asked_of_the_head_alone(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        "child = os.fork()\n"
        "def told(*_): print('told', 'child' if not child else 'head', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "os.write(1, b'ready\\n')\n"  # at one go, as print doesn't where nothing is buffered
        "time.sleep(60)\n"
    )
    child = Child(_service(tmp_path, program))
    child.tend()
    _wait_for(tmp_path, "ready\nready")
    child.end()
    assert (tmp_path / "log").read_text().count("told") == 1
    assert "told head" in (tmp_path / "log").read_text()
    assert processes_of(tmp_path) == set()


def test_a_service_that_died_is_started_again_after_ever_longer_pauses(tmp_path: Path) -> None:
    child = Child(_service(tmp_path, "raise SystemExit(3)"))
    pauses: list[float] = []
    for _ in range(3):
        child.due_at = 0
        child.tend()
        assert child.process is not None
        child.process.wait()
        child.tend()
        assert child.process is None
        pauses.append(child.due_at - time.monotonic())
    assert pauses == pytest.approx([0.5, 1, 2], abs=0.2)
    child.tend()  # not due yet
    assert child.process is None


def test_children_of_a_dead_service_are_swept_away(tmp_path: Path) -> None:
    child = Child(_service(tmp_path, WITH_CHILD))
    child.tend()
    _wait_for(tmp_path, "ready")
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    child.tend()
    assert processes_of(tmp_path) == set()
