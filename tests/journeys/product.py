"""The running product, as a person who installs it has it, on ports and data of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 60.0
Value = TypeVar("Value")


class Product:
    """One installation under a data directory; `start` and `stop` as often as wanted."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
        self.environment = {
            **inherited,
            "PLUMBLINE_DATA_DIR": str(data_dir),
            "PLUMBLINE_PORT": str(self.port),
            "PLUMBLINE_SANDBOX_PORT": str(self.sandbox_port),
            "PLUMBLINE_DATABASE_FSYNC": "off",
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)

    def start(self) -> None:
        """Run it until the console answers."""
        with (self.data_dir / "run.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers, "the console answers", READY_WITHIN)

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None
        self.manage("database", "stop")

    def manage(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """What a command says on standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """A command's answer in JSON."""
        return json.loads(self.manage(*arguments, "--json", codes=codes))

    def client(self, group: str, *scopes: str) -> httpx.Client:
        """A service with a token of these scopes."""
        chosen = [argument for scope in scopes for argument in ("--scope", scope)]
        secret = self.manage("token", "issue", "--group", group, "--name", "journey", *chosen).strip()
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def sandbox(self) -> httpx.Client:
        """The sandbox orchestrator's own controls."""
        token = (self.data_dir / "secrets" / "orchestrator_token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.sandbox_port}", headers=headers, timeout=10)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.data_dir / "run.log").read_text()
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


def until(look: Callable[[], Value | None], what: str, within: float = 30.0) -> Value:
    """What `look` sees once it sees something; fails if it doesn't in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {within:g} s: {what}")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
