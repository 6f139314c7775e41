"""The product for each journey, with the scenario group and nothing else."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import postgres
from tests.journeys.product import Product


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """The data directory of a fresh installation, its database stopped: to be copied, not used."""
    with _folder() as data_dir:
        try:
            Product(data_dir).install()
            yield _stopped(data_dir)
        finally:
            postgres.stop(data_dir)


@pytest.fixture
def installed(template: Path) -> Iterator[Product]:
    """The group `powerx`, its tenants and its policies, with nothing running."""
    with _folder() as data_dir:
        # As it is, with the owner of the database's files, who isn't root.
        subprocess.run(["cp", "-a", f"{template}/.", str(data_dir)], check=True)
        made = Product(data_dir)
        try:
            # Where the temporary directory is closed to the database's account, its files lie apart.
            if not (data_dir / "postgres" / "cluster").exists():
                made.install()
            yield made
        finally:
            made.stop()


@pytest.fixture
def product(installed: Product) -> Product:
    """The same, running: web, worker and sandbox orchestrator."""
    installed.start()
    return installed


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own, which is closed to the account that the embedded database runs under.
    folder = Path(tempfile.mkdtemp(prefix="plumbline-journey-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stopped(data_dir: Path) -> Path:
    postgres.stop(data_dir)
    return data_dir
