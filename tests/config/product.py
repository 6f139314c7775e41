"""`manage.py run` as a process of its own."""

import contextlib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from config.env import BASE_DIR
from tests.config.conftest import processes_of, wait_until
from tests.ports import free_port


class Product:
    """A running `manage.py run`."""

    def __init__(self, environment: dict[str, str], data_dir: Path) -> None:
        self.environment = environment
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
        wait_until(lambda: "Ctrl-C stops it" in self.said() or self.process.poll() is not None, seconds=300)
        assert self.process.poll() is None, self.said()

    def answers(self) -> bool:
        """Whether the web server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:  # refused, reset, or too slow to tell
            return False

    def service(self, part: str) -> int:
        """The process of the service whose command has this part."""
        for pid in _children(self.process.pid):
            if part.encode() in _command(pid):
                return pid
        return 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def living(data_dir: Path) -> set[int]:
    """Those of the directory's processes that don't merely wait to be fetched by their parent."""
    return {pid for pid in processes_of(data_dir) if _command(pid)}


def _command(pid: int) -> bytes:
    """The process's command line; nothing where it has just gone or merely waits to be fetched."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextlib.contextmanager
def running(environment: dict[str, str], data_dir: Path) -> Iterator[Product]:
    """A product that answers; ended afterwards unless the test did that."""
    product = Product(environment, data_dir)
    try:
        product.wait_for_welcome()
        yield product
    finally:
        if product.process.poll() is None:
            product.process.terminate()
        product.process.wait(60)
