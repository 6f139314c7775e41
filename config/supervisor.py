"""Keeps a handful of services running, and leaves nothing behind.

Each service is the head of a process group of its own. Ending one signals its head alone (django-q2 can hang
if its workers get the signal too) and, once that is gone, kills what is left of the group.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from config.processes import die_with_parent

# A service that lived this long has recovered: its next death is a first one again.
RECOVERED = 60.0
LONGEST_PAUSE = 30.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """A program to keep running."""

    name: str
    command: Sequence[str]
    log: Path  # what it says; it would drown the supervisor's own words
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10  # seconds that it gets to end in order


class Child:
    """A service's process, if it has one just now."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self.started_at = 0.0
        self.due_at = 0.0

    def tend(self) -> None:
        """Start the process if it is due, and notice if it died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due_at:
                self._start(now)
        elif self.process.poll() is not None:
            self._bury(now)

    def end(self) -> None:
        """Stop the process in order, or by force when it takes too long."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.service.grace)
        except subprocess.TimeoutExpired:
            log.warning("service_killed", service=self.service.name, grace=self.service.grace)
            self.process.kill()
            self.process.wait()
        _kill_group(self.process.pid)
        self.process = None

    def _start(self, now: float) -> None:
        with self.service.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.service.command,
                env={**os.environ, **self.service.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Without this, a supervisor that is killed would leave its services running.
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )
        self.started_at = now
        log.debug("service_started", service=self.service.name, pid=self.process.pid)

    def _bury(self, now: float) -> None:
        """Note a death, and how long to wait before the next life: longer each time."""
        assert self.process is not None
        _kill_group(self.process.pid)
        self.deaths = 1 if now - self.started_at > RECOVERED else self.deaths + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (self.deaths - 1))
        self.due_at = now + pause
        code = self.process.returncode
        self.process = None
        words = {"exit_code": code, "restart_in": pause, "log": str(self.service.log)}
        log.error("service_died", service=self.service.name, **words)


def interruptible() -> None:
    """Let the signals that ask for an end all raise KeyboardInterrupt."""
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


def supervise(services: Sequence[Service], *, each_turn: Callable[[], None]) -> None:
    """Keep the services running until a signal asks for the end, then end them, the first one first."""
    children = [Child(service) for service in services]
    try:
        while True:
            for child in children:
                child.tend()
            each_turn()
            time.sleep(0.2)
    except KeyboardInterrupt:
        log.debug("stopping")
    finally:
        # An impatient second Ctrl-C must not leave half of them running.
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        for child in children:
            child.end()


def _kill_group(leader: int) -> None:
    """Kill what is left of a process group, and wait until the kernel has taken it away."""
    with suppress(ProcessLookupError, PermissionError):
        for _ in range(25):
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.02)
