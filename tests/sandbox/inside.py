"""The sandbox inside the test's own process, where a test may also bend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.server import Options, Sandbox
from sandbox.state import TenantState
from tests.sandbox.process import SECRET, TOKEN


@contextmanager
def running(
    path: Path, *tenants: TenantState, kind: type[Sandbox] = Sandbox, **settings: Any
) -> Iterator[Sandbox]:
    """A sandbox with these tenants and settings; orders are ended at once unless told otherwise."""
    options = Options("127.0.0.1", 0, path / "sandbox.sqlite3", TOKEN, SECRET, workers=2)
    sandbox = kind(options)
    sandbox.fleet.put_many(tenants)
    sandbox.settings.change({"delay_seconds": 0, **settings})
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


def address(sandbox: Sandbox) -> str:
    return f"http://127.0.0.1:{sandbox.port}"
