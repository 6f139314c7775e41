"""The running product, as a person who installs it has it, on ports and data of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from config import postgres
from tests.journeys.standby import ROOT, Standby
from tests.ports import free_port

READY_WITHIN = 120.0
# Nothing is proved by waiting: what callbacks and wake-ups don't bring at once is looked after each second.
QUICK = {"PLUMBLINE_FOLLOW_UP_SECONDS": "1", "PLUMBLINE_POLL_SECONDS": "2"}
# As if somebody had put it back by hand: its host runs the older version again, and its manifest says so.
BEHIND = """
from django.conf import settings
from django.utils import timezone
from config.access import SYSTEM
from demo import powerx
from governance import manifests
from sandbox.state import FleetState, TenantState
from tenants.models import Group
group, at, key = Group.objects.get(slug="powerx"), timezone.now(), "tenant-b"
plugins = {powerx.PLUGIN: "2.3.0"}
with FleetState(settings.DATA_DIR / "sandbox.sqlite3") as state:
    state.put_many([TenantState("powerx", key, powerx.HOST, "5.0.0", plugins, at)])
seen = manifests.ManifestDocument(key, "5.0.0", plugins, observed_at=at, source="file")
manifests.ingest(group, [seen], actor=SYSTEM, at=at)
"""
Value = TypeVar("Value")


class Product:
    """One installation under a data directory; `start` and `stop` as often as wanted."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._standby: Standby | None = None
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
        self.environment = {
            **inherited,
            "PLUMBLINE_DATA_DIR": str(data_dir),
            "PLUMBLINE_PORT": str(self.port),
            "PLUMBLINE_SANDBOX_PORT": str(self.sandbox_port),
            "PLUMBLINE_DATABASE_FSYNC": "off",
            **QUICK,
        }
        for name in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL"):
            self.environment.pop(name, None)

    def install(self) -> None:
        """Make the database with the scenario group; what is there already stays."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("load_demo", "--only", "powerx")

    def start(self) -> None:
        """Run it until the console and the sandbox answer."""
        with (self.data_dir / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                # What Django checks beforehand is for `make check`, which has done so.
                [sys.executable, "manage.py", "run", "--port", str(self.port), "--skip-checks"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: self._answers(self.port), "the console answers", READY_WITHIN)
        until(lambda: self._answers(self.sandbox_port), "the sandbox answers", READY_WITHIN)

    def end(self) -> None:
        """End it at once, and its database; tests/config/test_ending.py has the gentle end."""
        if self.process is not None:
            services = self.services()
            self.process.kill()
            self.process.wait()
            self.process = None
            for leader in services:
                with suppress(ProcessLookupError):
                    os.killpg(leader, signal.SIGKILL)
        if self._standby is not None:
            self._standby.end()
            self._standby = None
        postgres.stop(self.data_dir)

    def services(self) -> list[int]:
        """The processes that it keeps running, each of which leads a group of its own."""
        assert self.process is not None
        supervisor = self.process.pid
        return [
            int(pid) for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        ]

    def manage(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """What a command says on standard output."""
        if self._standby is None:
            self._standby = Standby(self.environment)
        done = self._standby.run(arguments)
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
        return httpx.Client(base_url=f"http://127.0.0.1:{self.sandbox_port}", headers=headers, timeout=30)

    def fall_behind(self) -> None:
        """Bring `tenant-b` back to where both scenario cases begin."""
        self.manage("shell", "--verbosity", "0", "-c", BEHIND)

    def agree_window(self, tenant: str, *, begins: timedelta) -> None:
        """The tenant may be changed for three hours of every day, begun about that long after now."""
        hours = "-".join(three_hours(begins))
        days = [part for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun") for part in ("--day", day)]
        self.manage("calendar", "agree", tenant, *days, "--hours", hours, "--group", "powerx")

    def password(self) -> str:
        """What the demo's people sign in with."""
        return (self.data_dir / "secrets" / "demo_password").read_text().strip()[:16]

    def _answers(self, port: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data_dir / "run.log").read_text()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


def three_hours(begins: timedelta) -> tuple[str, str]:
    """The times between which, in UTC, it is the three hours begun about that long after now."""
    start = (datetime.now(UTC) + begins).replace(minute=0)
    return f"{start:%H:%M}", f"{start + timedelta(hours=3):%H:%M}"


def until(look: Callable[[], Value | None], what: str, within: float = 60.0) -> Value:
    """What `look` sees once it sees something; fails if it doesn't in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {within:g} s: {what}")
