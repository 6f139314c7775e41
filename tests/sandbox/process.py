"""The sandbox as a process of its own, and a caller of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

import httpx

TOKEN = "a-token-for-tests"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAN = "/internal/version/upgrade/plan"
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0

T = TypeVar("T")


def eventually(look: Callable[[], T], until: Callable[[T], bool]) -> T:
    """Look again until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.01)
    return seen


class RunningSandbox:
    """Starts, kills and asks a sandbox; after a restart it listens on another port."""

    client: httpx.Client

    def __init__(self, state: Path) -> None:
        self._state = state
        self._process: subprocess.Popen[str] | None = None
        self.log: list[dict[str, Any]] = []

    def start(self) -> None:
        self._process = launch(self._state)
        assert self._process.stderr is not None
        self.log = []
        threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True).start()
        listening = eventually(lambda: self._logged("listening"), until=lambda line: line is not None)
        assert listening is not None
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{listening['port']}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it unless it has gone, and return its exit code."""
        assert self._process is not None
        self.client.close()
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def set(self, **settings: Any) -> None:
        assert self.client.patch("/sandbox/settings", json=settings).status_code == 200

    def order(self, document: dict[str, Any], key: str | None = None) -> httpx.Response:
        return self.client.post(PLAN, json=document, headers={"Idempotency-Key": key or str(uuid4())})

    def ordered(self, document: dict[str, Any], key: str | None = None) -> str:
        """The id of an order that must be accepted."""
        answer = self.order(document, key)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def show(self, order: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.client.get(f"{PLAN}/{order}").json()
        return shown

    def finished(self, order: str) -> dict[str, Any]:
        return eventually(lambda: self.show(order), until=lambda shown: shown["finished_at"] is not None)

    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.client.get("/sandbox/counts").json()
        return counts

    def manifests(self, group: str, since: int = 0, limit: int = 500) -> dict[str, Any]:
        query: dict[str, str | int] = {"group": group, "since": since, "limit": limit}
        page: dict[str, Any] = self.client.get("/manifests", params=query).json()
        return page

    def manifest(self, group: str, tenant: str) -> dict[str, Any]:
        found = [each for each in self.manifests(group)["manifests"] if each["tenant"] == tenant]
        assert len(found) == 1
        manifest: dict[str, Any] = found[0]
        return manifest

    def _read_log(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(json.loads(line))

    def _logged(self, message: str) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return next((line for line in self.log if line["message"] == message), None)


def launch(state: Path, **environment: str) -> subprocess.Popen[str]:
    """A sandbox process on a free port, with its log lines in stderr."""
    settings = {"PLUMBLINE_ORCHESTRATOR_TOKEN": TOKEN, "PLUMBLINE_CALLBACK_SECRET": SECRET}
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state)],
        cwd=ROOT,
        env={**os.environ, **settings, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def order(tenant: str = "tenant-b", **fields: Any) -> dict[str, Any]:
    """An order that brings the tenant's CRM plugin from 2.3.0 to 2.4.0, unless told otherwise."""
    return {
        "group": "acme",
        "plan": str(uuid4()),
        "task": str(uuid4()),
        "tenant": tenant,
        "steps": [step("powerx-crm-plugin", "2.3.0", "2.4.0")],
        "due_at": "2026-02-01T00:00:00+00:00",
        "callback_url": None,
        **fields,
    }


def step(plugin: str, source: str | None, target: str | None) -> dict[str, str | None]:
    return {"plugin": plugin, "from": source, "to": target}
