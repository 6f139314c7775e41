"""Fixtures for tests that start real servers."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import postgres
from config.env import BASE_DIR
from tests.ports import free_port


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data directory of its own whose embedded server, if one was started, is stopped afterwards."""
    # pytest's own temporary directories are closed to the account that the server runs under.
    path = Path(tempfile.mkdtemp(prefix="plumbline-"))
    path.chmod(0o755)
    yield path
    postgres.stop(path)
    shutil.rmtree(path)


def processes_of(data_dir: Path) -> set[int]:
    """The living processes that have the directory in their command line or environment; not this one."""
    needle = os.fsencode(data_dir)
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if needle in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue  # it ended meanwhile, or isn't ours
    return found


@pytest.fixture(scope="module")
def environment(data_dir: Path) -> dict[str, str]:
    """For processes of the product on a data directory, and on ports, of their own."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.config.worker_settings",
        "PLUMBLINE_DATA_DIR": str(data_dir),
        "PLUMBLINE_TEST_LINES": str(data_dir / "lines"),
        "PLUMBLINE_SANDBOX_PORT": str(free_port()),
        "PLUMBLINE_DATABASE_FSYNC": "off",
    }


@pytest.fixture(scope="module")
def manage(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a management command of the product and waits for it."""

    def run(*arguments: str, input: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env={**environment, **more},
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def wait_until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for the condition to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come about in time"
        time.sleep(0.05)
