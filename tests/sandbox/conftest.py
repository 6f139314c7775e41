"""A real sandbox process, a real receiver of its callbacks, and a small fleet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.state import FleetState, TenantState
from tests.sandbox.process import RunningSandbox
from tests.sandbox.receiver import Receiver

GROUP = "acme"
OBSERVED = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def tenant_state(tenant: str) -> TenantState:
    plugins = {"powerx-crm-plugin": "2.3.0", "reports": "1.0"}
    return TenantState(GROUP, tenant, "powerx", "5.1.0", plugins, OBSERVED)


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return _filled(tmp_path / "state" / "sandbox.sqlite3")


def _filled(path: Path) -> Path:
    with FleetState(path) as fleet:
        fleet.put_many(tenant_state(f"tenant-{letter}") for letter in "abcdefgh")
    return path


@pytest.fixture
def sandbox(state_path: Path) -> Iterator[RunningSandbox]:
    running = RunningSandbox(state_path)
    running.start()
    running.set(delay_seconds=0)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox for all the tests whose requests change nothing, since each start takes half a second."""
    running = RunningSandbox(_filled(tmp_path_factory.mktemp("pristine") / "sandbox.sqlite3"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.start()
    yield receiver
    receiver.stop()
