"""`manage.py run`: the whole product as a stranger starts it."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import postgres
from tests.config.conftest import wait_until
from tests.config.product import Product, running
from tests.ports import free_port

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def product(environment: dict[str, str], data_dir: Path) -> Iterator[Product]:
    with running(environment, data_dir) as product:
        yield product


def test_it_serves_and_works(product: Product) -> None:
    assert product.answers()
    wait_until(lambda: (product.data_dir / "lines").exists())  # the worker does what is due
    for part in ("gunicorn", "worker", "sandbox"):
        assert product.service(part), product.said()


def test_an_empty_database_gets_the_demo(product: Product, manage: Manage) -> None:
    assert "The demo is loaded." in product.said()
    assert "Sign in as somebody." in product.said()
    answer = manage("shell", "-v0", "-c", "from tenants.models import Group; print(Group.objects.get().slug)")
    assert answer.stdout.strip() == "stage"


def test_what_dies_is_started_again(product: Product) -> None:
    before = product.service("gunicorn")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: product.service("gunicorn") not in {0, before} and product.answers())
    assert "service_died" in product.said()


def test_a_database_that_died_is_started_again(product: Product) -> None:
    server = postgres.status(product.data_dir)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: postgres.status(product.data_dir) not in {None, server} and product.answers())


def test_it_runs_once_on_a_data_directory(product: Product, manage: Manage) -> None:
    answer = manage("run", "--skip-checks", "--port", str(free_port()))
    assert answer.returncode == 1
    assert "taken" in answer.stderr or "runs already" in answer.stderr
    assert product.answers()


def test_a_taken_port_is_told_before_anything_starts(product: Product, manage: Manage) -> None:
    answer = manage("run", "--skip-checks", "--port", str(product.port))
    assert answer.returncode == 1
    assert f"Port {product.port} is taken" in answer.stderr
