"""HTTP around the endpoints, and the sandbox as one thing that starts and stops."""

from __future__ import annotations

import hmac
import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.callbacks import CallbackOutbox, Courier
from sandbox.endpoints import ROUTES, Answer, Endpoint, Request, Route
from sandbox.faults import Absence, Fault, SettingsStore, is_late, is_refused, is_stalled
from sandbox.orders import OrderBook
from sandbox.problems import Problem, not_found
from sandbox.state import FleetState
from sandbox.workers import OrderWorkers, callback_pool

log = logging.getLogger("sandbox.server")

LARGEST_BODY = 1024 * 1024
STOP_SECONDS = 1.0
CALLBACK_THREADS = 4


class Silence(Exception):
    """The connection is closed without an answer, on purpose."""


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    state: Path
    token: str
    secret: str
    workers: int


class Sandbox:
    """The state, the threads that carry orders out and tell of them, and the server."""

    def __init__(self, options: Options) -> None:
        self.token = options.token
        self.fleet = FleetState(options.state)
        self.settings = SettingsStore(self.fleet.database)
        self.orders = OrderBook(self.fleet, self.settings)
        self._outbox = CallbackOutbox(self.fleet.database)
        self.absence = Absence()
        self._courier = Courier(self._outbox, options.secret, self.settings, self.absence)
        self._callbacks = callback_pool(CALLBACK_THREADS, self._courier)
        self.workers = OrderWorkers(
            options.workers, self.orders, self.settings, self.absence, self._callbacks
        )
        self._server = Server((options.host, options.port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self.orders.resume()
        self._outbox.resume()
        self._callbacks.start()
        self.workers.pool.start()
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, finish no more orders: the next start goes on with them."""
        self._server.shutdown()
        self._server.server_close()
        self.workers.pool.stop(STOP_SECONDS)
        self._callbacks.stop(STOP_SECONDS)
        self._courier.close()
        self.fleet.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True  # an idle kept-alive connection must not hold up the stop
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(address, Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke; the base class would print a traceback that isn't JSON."""
        context = {"client": str(client_address), "connection": repr(request)}
        log.warning("connection lost", exc_info=True, extra={"context": context})


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "plumbline-sandbox"
    sys_version = ""
    timeout = 30  # of an idle connection
    disable_nagle_algorithm = True  # head and body are two writes

    def answer(self) -> None:
        began = time.monotonic()
        status = self._answer_or_refuse()
        took = round((time.monotonic() - began) * 1000, 1)
        context = {"method": self.command, "path": self.path, "status": status and status.value, "ms": took}
        log.info("request", extra={"context": context})

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def _answer_or_refuse(self) -> HTTPStatus | None:
        try:
            answer = self._dispatch()
        except Silence:
            self.close_connection = True
            return None
        except Problem as problem:
            return self._refuse(problem)
        except OSError:
            raise  # the caller went away or stalled; nobody is left to be answered
        except Exception:
            log.exception("request failed")
            fault = "The sandbox has a fault; see its log"
            return self._refuse(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, fault))
        self._send(answer.status, "application/json", answer.document)
        return answer.status

    def _dispatch(self) -> Answer:
        body = self._body()  # read before any refusal, or it would be taken for the next request
        url = urlsplit(self.path)
        route, order_id = _route(url.path)
        if not route.public:
            self._authenticate()
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(query, body, self.headers.get("Idempotency-Key"), order_id)
        endpoint = self._endpoint(route)
        return (
            self._with_faults(endpoint, request) if route.faulty else endpoint(self.server.sandbox, request)
        )

    def _with_faults(self, endpoint: Endpoint, request: Request) -> Answer:
        """Answer, or don't, as the settings say. Raises Silence, or the Problem of an injected error."""
        sandbox = self.server.sandbox
        settings = sandbox.settings.load()
        if sandbox.absence.seconds_left():
            sandbox.settings.note(Fault.ABSENCES)
            raise Silence
        if not (settings.latency_seconds or settings.error_rate or settings.stall_rate):
            return endpoint(sandbox, request)
        number = sandbox.settings.next_request()
        if is_late(settings, number):
            sandbox.settings.note(Fault.SLOW_ANSWERS)
            time.sleep(settings.latency_seconds)
        if is_refused(settings, number):
            sandbox.settings.note(Fault.ERRORS)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The sandbox was told to fail some requests")
        answer = endpoint(sandbox, request)
        if answer.status is HTTPStatus.ACCEPTED and is_stalled(settings, number):
            sandbox.settings.note(Fault.STALLED_ANSWERS)
            time.sleep(settings.stall_seconds)
            raise Silence
        return answer

    def _endpoint(self, route: Route) -> Endpoint:
        endpoint = route.endpoints.get(self.command)
        if endpoint is None:
            allowed = ", ".join(route.endpoints)
            detail = f"Only {allowed} is possible here"
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
        return endpoint

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "The body's length must be given")
        if int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body may have {LARGEST_BODY} bytes at most"
            )
        return self.rfile.read(int(length))

    def _authenticate(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.sandbox.token}".encode()):
            detail = "The bearer token is missing or wrong"
            raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})

    def _refuse(self, problem: Problem) -> HTTPStatus:
        self._send(problem.status, "application/problem+json", problem.document(), problem.headers)
        return problem.status

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        document: Mapping[str, Any],
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        closing = {"Connection": "close"} if self.close_connection else {}
        length = str(len(content))
        for name, value in {"Content-Type": kind, "Content-Length": length, **headers, **closing}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses before any endpoint, such as an unknown method or a broken head."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._refuse(Problem(status, message or explain or status.phrase))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `answer` logs each request, with its time."""


def _route(path: str) -> tuple[Route, str]:
    for route in ROUTES:
        if match := route.match(path):
            return route, match.groupdict().get("order_id", "")
    raise not_found(f"There is nothing at {path}")
