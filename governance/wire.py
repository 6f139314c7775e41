"""The way to other services: one HTTP client a process, since making one takes as long as ten calls."""

from __future__ import annotations

import os
from functools import lru_cache

import httpx
from django.conf import settings

TIMEOUT = httpx.Timeout(settings.CALL_TIMEOUT, connect=3.0)


def client() -> httpx.Client:
    """This process's client; threads may share it, a process that was forked off makes its own."""
    return _client(os.getpid())


@lru_cache(maxsize=1)
def _client(_process: int) -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT)
