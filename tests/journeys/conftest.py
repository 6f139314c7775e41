"""The product for each journey, with the scenario group and nothing else."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.product import Product


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a fresh installation, its database stopped: to be copied, not used.

    One for all processes of a test run: the first that wants it makes it, the last that had it removes it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "journeys").open("a+") as note:
        with _alone(shared):
            note.seek(0)
            if not (made := note.read()):
                made = str(_made())
                note.write(made)
                note.flush()
            fcntl.flock(note, fcntl.LOCK_SH)  # by each that uses it
        yield Path(made)
        with _alone(shared):
            try:
                fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            note.truncate(0)
            shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _alone(shared: Path) -> Iterator[None]:
    """One process at a time makes it or takes it away."""
    with (shared / "journeys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def installation(template: Path) -> Iterator[Product]:
    """The group `powerx`, its tenants and its policies, with nothing running; gone afterwards."""
    data_dir = _folder()
    made = Product(data_dir)
    try:
        # As it is, with the owner of the database's files, who isn't root.
        subprocess.run(["cp", "-a", "--reflink=auto", f"{template}/.", str(data_dir)], check=True)
        # Where the temporary directory is closed to the database's account, its files lie apart.
        if not (data_dir / "postgres" / "cluster").exists():
            made.install()
        yield made
    finally:
        made.end()
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture
def installed(template: Path) -> Iterator[Product]:
    """See installation; one for each test."""
    with installation(template) as made:
        yield made


@pytest.fixture
def product(installed: Product) -> Product:
    """The same, running: web, worker and sandbox orchestrator."""
    installed.start()
    return installed


def _folder() -> Path:
    # Not pytest's own, which is closed to the account that the embedded database runs under.
    folder = Path(tempfile.mkdtemp(prefix="plumbline-journey-"))
    folder.chmod(0o755)
    return folder


def _made() -> Path:
    product = Product(_folder())
    try:
        product.install()
    finally:
        product.end()
    return product.data_dir
