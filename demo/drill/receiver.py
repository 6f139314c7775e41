"""A receiver of a drill's webhooks, which refuses some and counts what it took."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from demo.drill.terms import RATE


class Receiver(ThreadingHTTPServer):
    """Listens on the loopback address."""

    daemon_threads = True

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.random = random.Random(seed)
        self.taken: Counter[str] = Counter()  # by the event's own id

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = cast(Receiver, self.server)
        refused = server.random.random() < RATE
        if not refused:
            server.taken[json.loads(body)["id"]] += 1
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if refused else HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(seed: int) -> Iterator[Receiver]:
    """A receiver until the block ends."""
    with Receiver(seed) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
