"""What dies in the middle of a run is started again, and the run is carried on from where it stood."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.product import Product, until

SERVICES = {"worker": "worker", "web": "gunicorn", "sandbox": "sandbox"}  # a word of each one's command line
WITHIN = 240.0  # seconds, on a machine that does other things as well
VERIFY = """
from audit import ledger
from tenants.models import Group
print([str(fault) for fault in ledger.verify(Group.objects.get(slug="powerx").pk)])
"""


def service(product: Product, name: str) -> int | None:
    """The process that the supervisor keeps for a service; None while it has none."""
    assert product.process is not None
    supervisor = product.process.pid
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if SERVICES[name] in words:
            return int(child)
    return None


def kill(product: Product, name: str) -> None:
    """End a service without a chance to tidy up, and wait for the next one."""
    victim = until(lambda: service(product, name), f"{name} runs", WITHIN)
    os.kill(victim, signal.SIGKILL)
    until(lambda: service(product, name) not in {None, victim}, f"{name} is started again", WITHIN)


def slow_sandbox(product: Product, seconds: float) -> None:
    """Let every order take a while."""
    with product.sandbox() as sandbox:
        sandbox.patch("/sandbox/settings", json={"delay_seconds": seconds}).raise_for_status()


def counts(product: Product) -> dict[str, Any]:
    """What the sandbox counted."""
    with product.sandbox() as sandbox:
        counted: dict[str, Any] = sandbox.get("/sandbox/counts").raise_for_status().json()
    return counted


def begin(client: httpx.Client) -> str:
    """Start a run; where it tells how it stands."""
    answer = client.post("/internal/version/policy/enforce", json={}, headers={"Idempotency-Key": "one"})
    assert answer.status_code in {200, 202}, answer.text
    status_url: str = answer.json()["status_url"]
    return status_url


def ended(client: httpx.Client, status_url: str) -> dict[str, Any]:
    """The run once it has ended, however often nobody answers meanwhile."""

    def look() -> dict[str, Any] | None:
        try:
            run: dict[str, Any] = client.get(status_url).raise_for_status().json()
        except httpx.HTTPError:
            return None
        return run if run["status"] not in {"running", "acting"} else None

    return until(look, "the run has ended", WITHIN)


def assert_done_once(product: Product, run: dict[str, Any]) -> None:
    """The tenant was upgraded, by one order, and the ledger has no gap."""
    assert run["status"] == "completed", run
    assert [(task["tenant"], task["status"]) for task in run["plan"]["tasks"]] == [("tenant-b", "succeeded")]
    counted = counts(product)
    assert (counted["orders"], counted["tasks"], counted["executions"]) == (1, 1, 1)
    assert product.manage("shell", "--verbosity", "0", "-c", VERIFY).strip() == "[]"


@pytest.fixture
def client(product: Product) -> httpx.Client:
    """A service that may start runs and look at them."""
    slow_sandbox(product, 5)
    return product.client("powerx", "policy.enforce")


def test_a_worker_killed_while_the_orchestrator_works(product: Product, client: httpx.Client) -> None:
    status_url = begin(client)
    until(lambda: counts(product)["orders"], "the task is handed over", WITHIN)

    kill(product, "worker")

    assert_done_once(product, ended(client, status_url))


def test_a_worker_killed_as_soon_as_the_run_begins(product: Product, client: httpx.Client) -> None:
    status_url = begin(client)

    kill(product, "worker")

    assert_done_once(product, ended(client, status_url))


def test_a_web_server_killed_while_tasks_are_handed_over(product: Product, client: httpx.Client) -> None:
    status_url = begin(client)
    until(lambda: counts(product)["orders"], "the task is handed over", WITHIN)

    kill(product, "web")

    assert_done_once(product, ended(client, status_url))


def test_an_orchestrator_killed_while_it_works(product: Product, client: httpx.Client) -> None:
    status_url = begin(client)
    until(lambda: counts(product)["orders"], "the task is handed over", WITHIN)

    kill(product, "sandbox")

    assert_done_once(product, ended(client, status_url))
