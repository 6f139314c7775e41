"""A real HTTP receiver of callbacks, which refuses as many as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.sandbox.process import SECRET, eventually


@dataclass(frozen=True)
class Received:
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self) -> dict[str, Any]:
        """The document, if the signature holds."""
        document: dict[str, Any] = Webhook(SECRET).verify(self.body, dict(self.headers))
        return document


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.refuse_next = 0
        self.refusal = (503, "")
        self.clock_off = timedelta()  # what its own clock is ahead of the machine's
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/internal/version/upgrade/status"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, number: int) -> list[Received]:
        return eventually(lambda: list(self.received), until=lambda received: len(received) >= number)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender was killed in the middle of it: nothing was told
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(headers, body))
                refused, receiver.refuse_next = receiver.refuse_next > 0, max(0, receiver.refuse_next - 1)
                status, text = receiver.refusal if refused else (204, "")
                self.send_response(status)
                if text:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def date_time_string(self, timestamp: float | None = None) -> str:
                told = time.time() if timestamp is None else timestamp
                return super().date_time_string(told + receiver.clock_off.total_seconds())

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

        return Handler
