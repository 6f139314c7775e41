"""A small receiver of callbacks, for as long as a trial lasts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/internal/version/upgrade/status"
LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that arrived, whoever sent it."""

    at: datetime
    headers: Mapping[str, str]  # by lower-case name
    body: bytes
    refused: bool

    @property
    def message_id(self) -> str:
        return self.headers.get("webhook-id", "")

    def said(self, field: str) -> Any:
        """What the body says there; None where it says nothing."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return None
        return document.get(field) if isinstance(document, dict) else None


class Receiver:
    """Keeps what arrives, and refuses the first callback of the tasks that it is told."""

    def __init__(self, host: str, port: int, url: str = "") -> None:
        self._deliveries: list[Delivery] = []
        self._refuse: set[str] = set()
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer((host, port), _handler(self))
        self._server.daemon_threads = True
        bound_host, bound_port = self._server.server_address[:2]
        self.url = url or f"http://{bound_host!s}:{bound_port}{PATH}"

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        """Take callbacks meanwhile."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def refuse_first_of(self, task: str) -> None:
        """Answer 503 to the first callback about the task."""
        with self._arrived:
            self._refuse.add(task)

    def of(self, task: str) -> list[Delivery]:
        """What arrived about the task, in the order of its arrival."""
        with self._arrived:
            return [delivery for delivery in self._deliveries if delivery.said("task") == task]

    def wait_for(
        self, task: str, enough: Callable[[list[Delivery]], bool], *, seconds: float
    ) -> list[Delivery]:
        """What arrived about the task once that is enough, or once the time is over."""
        deadline = time.monotonic() + seconds
        while not enough(found := self.of(task)):
            with self._arrived:
                left = deadline - time.monotonic()
                if left <= 0:
                    return found
                self._arrived.wait(min(left, 0.5))
        return found

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Keep a delivery; whether it is to be refused."""
        with self._arrived:
            task = Delivery(datetime.now(UTC), headers, body, refused=False).said("task")
            refused = isinstance(task, str) and task in self._refuse
            if refused:
                self._refuse.discard(task)
            self._deliveries.append(Delivery(datetime.now(UTC), headers, body, refused))
            self._arrived.notify_all()
        return refused


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST_BODY:
                self._answer(411)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(503 if receiver.take(headers, body) else 204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the checks tell what arrived."""

    return Handler
