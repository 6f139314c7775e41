"""A throwaway installation of the product: its own data, its own ports, gone afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from django.conf import settings

from config.processes import die_with_parent

READY_WITHIN = 180.0  # on a machine that does other things as well


class Throwaway:
    """Runs commands and the whole product on a data directory of its own."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
        kept.pop("DATABASE_URL", None)
        self.environment = {
            **kept,
            "PLUMBLINE_DATA_DIR": str(data_dir),
            "PLUMBLINE_PORT": str(self.port),
            "PLUMBLINE_SANDBOX_PORT": str(_free_port()),
            "PLUMBLINE_LOG_LEVEL": "WARNING",
            **environment,
        }

    def manage(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """What a command says. Raises RuntimeError, with what it complained of, if it ends otherwise."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in codes:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """What a command says with --json."""
        return json.loads(self.manage(*arguments, "--json", codes=codes))

    @contextmanager
    def running(self) -> Iterator[int]:
        """Web, worker and sandbox, until the block ends; the process of their supervisor."""
        with (self.data_dir / "run.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", str(self.port)],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )
        try:
            self._await()
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

    def service(self, group: str, *scopes: str) -> httpx.Client:
        """A service with a token of these scopes."""
        chosen = [argument for scope in scopes for argument in ("--scope", scope)]
        secret = self.manage("token", "issue", "--group", group, "--name", "bench", *chosen).strip()
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {secret}"}, timeout=300)

    def person(self, username: str) -> httpx.Client:
        """A browser's session of one of the demo's people."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=60)
        page = client.get("/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, "the login page has a form"
        password = (self.data_dir / "secrets" / "demo_password").read_text().strip()[:16]
        form = {"csrfmiddlewaretoken": found[1], "username": username, "password": password}
        client.post("/login/", data=form, headers={"Referer": f"{self.url}/login/"}).raise_for_status()
        return client

    def _await(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(f"The product didn't start; see {self.data_dir / 'run.log'}.")


@contextmanager
def throwaway(environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Throwaway]:
    """An installation with an empty, migrated database."""
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        # An embedded server that is started by root runs as another account, which has to reach its files.
        Path(folder).chmod(0o755)
        made = Throwaway(Path(folder), environment)
        try:
            made.manage("migrate", "--verbosity", "0")
            yield made
        finally:
            made.manage("database", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def inside(product: Throwaway, command: Sequence[str], part: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What one part of a command says, in a process of the installation's own.

    Raises RuntimeError if it fails.
    """
    done = subprocess.run(
        [sys.executable, "manage.py", *command, part, json.dumps(given)],
        cwd=settings.BASE_DIR,
        env=product.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed in its part {part}.")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
