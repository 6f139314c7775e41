"""Ports of the loopback for what tests start."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle

# Below the range for outgoing connections, and not where embedded databases look for theirs.
_ALL = range(10_000, 20_000)
# Each process of a test run has its own, and gives each out once in a while: one that nobody listens on may
# have been given to somebody who is still starting, and then the one is asked what the other is to answer.
_EACH = 500
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_MINE = [*_ALL[_WORKER * _EACH % len(_ALL) :][:_EACH]]
_FIRST = random.SystemRandom().randrange(_EACH)
_waiting: Iterator[int] = cycle([*_MINE[_FIRST:], *_MINE[:_FIRST]])


def free_port() -> int:
    """A port that nobody listens on, and that no other test has been given lately."""
    while True:
        port = next(_waiting)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
