"""The product for each journey, with the scenario group and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.product import Product


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """The running product with the group `powerx`, its tenants and its policies."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    running = Product(data_dir)
    try:
        running.manage("migrate", "--verbosity", "0")
        running.manage("load_demo", "--only", "powerx")
        running.start()
        yield running
    finally:
        running.stop()
