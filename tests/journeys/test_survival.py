"""What dies in the middle of a run is started again, and the run is carried on from where it stood."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import installation
from tests.journeys.people import Person
from tests.journeys.product import Product, until

SERVICES = {"worker": "worker", "web": "gunicorn", "sandbox": "sandbox"}  # a word of each one's command line
WITHIN = 240.0  # seconds, on a machine that does other things as well
TENANTS = 20  # for each death: enough that a kill falls between two of them
MORE_TENANTS = f"""
from django.conf import settings
from django.utils import timezone
from config.access import SYSTEM
from demo import powerx
from governance import manifests
from sandbox.state import FleetState, TenantState
from tenants import groups
from tenants.models import Group, Tenant
group, at = Group.objects.get(slug="powerx"), timezone.now()
there = Tenant.objects.filter(group=group).count()
keys = [f"tenant-{{number:03}}" for number in range(there, there + {TENANTS})]
plugins = {{powerx.PLUGIN: "2.3.0"}}
groups.add_tenants(group, [groups.NewTenant(key=key) for key in keys], actor=SYSTEM, at=at)
seen = [manifests.ManifestDocument(key, "5.0.0", plugins, observed_at=at, source="file") for key in keys]
manifests.ingest(group, seen, actor=SYSTEM, at=at)
with FleetState(settings.DATA_DIR / "sandbox.sqlite3") as state:
    state.put_many([TenantState("powerx", key, powerx.HOST, "5.0.0", plugins, at) for key in keys])
"""
VERIFY = """
from audit import ledger
from tenants.models import Group
print([str(fault) for fault in ledger.verify(Group.objects.get(slug="powerx").pk)])
"""


def service(product: Product, name: str) -> int | None:
    """The process that the supervisor keeps for a service; None while it has none."""
    for child in product.services():
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if SERVICES[name] in words:
            return child
    return None


def kill(product: Product, name: str) -> None:
    """End a service without a chance to tidy up, and wait for the next one."""
    victim = until(lambda: service(product, name), f"{name} runs", WITHIN)
    os.kill(victim, signal.SIGKILL)
    until(lambda: service(product, name) not in {None, victim}, f"{name} is started again", WITHIN)


def counts(product: Product) -> dict[str, Any]:
    """What the sandbox counted."""
    with product.sandbox() as sandbox:
        counted: dict[str, Any] = sandbox.get("/sandbox/counts").raise_for_status().json()
    return counted


def begin(product: Product) -> str:
    """Press “Run now”, which leaves all the work to the worker; where the run tells how it stands."""
    page = Person(product, "powerx-owner").submit("/g/powerx/plans/runs/start/")
    assert page.status_code == 200, page.text
    return f"/internal/version/policy/enforce/{page.url.path.rstrip('/').rpartition('/')[2]}"


def enforce(client: httpx.Client) -> str:
    """Ask for a run, which the web server carries on as far as it gets; where it tells how it stands."""
    answer = client.post("/internal/version/policy/enforce", json={}, headers={"Idempotency-Key": "one"})
    status_url: str = answer.raise_for_status().json()["status_url"]
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


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running product, many tenants of which are to be upgraded, and how many orders it gave before."""

    product: Product
    client: httpx.Client  # a service that may start runs and look at them
    before: int

    def assert_done_once(self, run: dict[str, Any]) -> None:
        """Each tenant was upgraded, by one order, and the ledger has no gap."""
        assert run["status"] == "completed", run
        tasks = run["plan"]["tasks"]
        assert {task["status"] for task in tasks} == {"succeeded"}
        behind = TENANTS + (self.before == 0)  # tenant-b is until the first run
        assert len({task["tenant"] for task in tasks}) == len(tasks) == behind
        counted = counts(self.product)
        assert (counted["orders"], counted["tasks"], counted["executions"]) == (self.before + behind,) * 3
        assert self.product.manage("shell", "--verbosity", "0", "-c", VERIFY).strip() == "[]"


@pytest.fixture(scope="module")
def survivor(template: Path) -> Iterator[tuple[Product, httpx.Client]]:
    """One running product to which everything happens, where each upgrade takes a while."""
    with installation(template) as product:
        product.start()
        with product.sandbox() as sandbox:
            sandbox.patch("/sandbox/settings", json={"delay_seconds": 2}).raise_for_status()
        yield product, product.client("powerx", "policy.enforce")


@pytest.fixture
def fleet(survivor: tuple[Product, httpx.Client]) -> Fleet:
    """More tenants, none of which is where it should be."""
    product, client = survivor
    product.manage("shell", "--verbosity", "0", "-c", MORE_TENANTS)
    return Fleet(product, client, before=counts(product)["orders"])


def test_a_worker_killed_while_it_hands_over(fleet: Fleet) -> None:
    status_url = begin(fleet.product)
    until(lambda: counts(fleet.product)["orders"], "the first task is handed over", WITHIN)

    kill(fleet.product, "worker")

    fleet.assert_done_once(ended(fleet.client, status_url))


def test_a_worker_killed_as_soon_as_the_run_begins(fleet: Fleet) -> None:
    status_url = begin(fleet.product)

    kill(fleet.product, "worker")

    fleet.assert_done_once(ended(fleet.client, status_url))


def test_a_web_server_killed_while_it_hands_over(fleet: Fleet) -> None:
    with ThreadPoolExecutor(1) as caller:
        asked = caller.submit(enforce, fleet.client)
        until(lambda: counts(fleet.product)["orders"], "the first task is handed over", WITHIN)
        kill(fleet.product, "web")
        wait([asked])

    def ask_again() -> str | None:
        with suppress(httpx.HTTPError):
            return enforce(fleet.client)
        return None

    status_url = until(ask_again, "the web server answers again", WITHIN)
    fleet.assert_done_once(ended(fleet.client, status_url))


def test_an_orchestrator_killed_while_it_works(fleet: Fleet) -> None:
    status_url = begin(fleet.product)
    until(lambda: counts(fleet.product)["executions"], "the first tenant is upgraded", WITHIN)

    kill(fleet.product, "sandbox")

    fleet.assert_done_once(ended(fleet.client, status_url))
