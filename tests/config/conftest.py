"""Fixtures for tests that start real servers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import postgres


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
