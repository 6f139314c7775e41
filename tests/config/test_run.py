"""`manage.py run`: the whole product as a stranger starts it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import postgres
from config.env import BASE_DIR
from tests.config.conftest import free_port, processes_of, wait_until

Manage = Callable[..., subprocess.CompletedProcess[str]]


class Product:
    """A running `manage.py run`."""

    def __init__(self, environment: dict[str, str], data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.output = data_dir / "output"
        command = [sys.executable, "manage.py", "run", "--port", str(self.port), "--skip-checks"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=BASE_DIR, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def wait_for_welcome(self) -> None:
        """Wait until it says that it answers."""
        wait_until(lambda: "Ctrl-C stops it" in self.said() or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, self.said()

    def answers(self) -> bool:
        """Whether the web server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False

    def service(self, part: str) -> int:
        """The process of the service whose command has this part."""
        for pid in _children(self.process.pid):
            if part.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _living(data_dir: Path) -> set[int]:
    """Those of the directory's processes that don't merely wait to be fetched by their parent."""
    return {pid for pid in processes_of(data_dir) if Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.fixture
def product(environment: dict[str, str], data_dir: Path) -> Iterator[Product]:
    running = Product(environment, data_dir)
    try:
        running.wait_for_welcome()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
        running.process.wait(60)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_works_and_leaves_nothing_behind(product: Product, ending: signal.Signals) -> None:
    assert product.answers()
    wait_until(lambda: (product.data_dir / "lines").exists())  # the worker does what is due
    for part in ("gunicorn", "worker", "sandbox"):
        assert product.service(part), product.said()
    product.process.send_signal(ending)
    assert product.process.wait(60) == 0
    assert "Plumbline has stopped." in product.said()
    assert _living(product.data_dir) == set()
    assert postgres.status(product.data_dir) is None


def test_an_empty_database_gets_the_demo_once(product: Product, manage: Manage) -> None:
    # The tests' demo can't be loaded twice, and an earlier test has started the product already.
    assert "Sign in as somebody." in product.said()
    answer = manage("shell", "-v0", "-c", "from tenants.models import Group; print(Group.objects.get().slug)")
    assert answer.stdout.strip() == "stage"


def test_what_dies_is_started_again(product: Product) -> None:
    before = product.service("gunicorn")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: product.service("gunicorn") not in {0, before} and product.answers())
    assert "service_died" in product.said()


def test_it_runs_once_on_a_data_directory(product: Product, manage: Manage) -> None:
    answer = manage("run", "--skip-checks", "--port", str(free_port()))
    assert answer.returncode == 1
    assert "taken" in answer.stderr or "runs already" in answer.stderr
    assert product.answers()


def test_a_taken_port_is_told_before_anything_starts(product: Product, manage: Manage) -> None:
    answer = manage("run", "--skip-checks", "--port", str(product.port))
    assert answer.returncode == 1
    assert f"Port {product.port} is taken" in answer.stderr


def test_even_a_killed_supervisor_leaves_nothing_behind(product: Product) -> None:
    product.process.kill()
    product.process.wait()
    wait_until(lambda: not _living(product.data_dir), seconds=45)


def test_a_database_that_somebody_else_uses_is_left_running(product: Product) -> None:
    server = postgres.status(product.data_dir)
    assert server is not None
    with postgres._superuser(product.data_dir / "postgres", server.port):
        product.process.terminate()
        product.process.wait(60)
        assert postgres.status(product.data_dir) == server
    postgres.stop(product.data_dir)
