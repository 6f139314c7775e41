"""The end of `manage.py run`: nothing is left behind, however it comes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import postgres
from config.embedded import superuser
from tests.config.conftest import wait_until
from tests.config.product import Product, living, running


@pytest.fixture
def product(environment: dict[str, str], data_dir: Path) -> Iterator[Product]:
    with running(environment, data_dir) as product:
        yield product


def test_asked_to_end_it_leaves_nothing_behind_and_started_again_it_keeps_its_data(
    environment: dict[str, str], data_dir: Path
) -> None:
    for started_before, ending in enumerate((signal.SIGINT, signal.SIGTERM)):
        with running(environment, data_dir) as product:
            # The tests' demo can't be loaded twice: a second start that tried would have failed.
            assert not (started_before and "The demo is loaded." in product.said())
            product.process.send_signal(ending)
            assert product.process.wait(60) == 0
        assert "Plumbline has stopped." in product.said()
        assert living(data_dir) == set()
        assert postgres.status(data_dir) is None


def test_even_a_killed_supervisor_leaves_nothing_behind(product: Product) -> None:
    product.process.kill()
    product.process.wait()
    wait_until(lambda: not living(product.data_dir), seconds=45)


def test_a_database_that_somebody_else_uses_is_left_running(product: Product) -> None:
    server = postgres.status(product.data_dir)
    assert server is not None
    with superuser.connect(product.data_dir / "postgres", server.port):
        product.process.terminate()
        product.process.wait(60)
        assert postgres.status(product.data_dir) == server
    postgres.stop(product.data_dir)
