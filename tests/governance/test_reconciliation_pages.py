"""Reconciliation in the console, from the command line and over REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from config.access import Permission
from governance import jobs, reconciliation
from governance.models import Finding, Reconciliation
from tests.factories import AT, World
from tests.governance.api.conftest import service  # noqa: F401 - a fixture
from tests.governance.commanding import shell
from tests.governance.reconciling import House, settle_in

PAGE = "/g/acme/reconciliation/"


@pytest.fixture
def house(world: World, settings: Any) -> House:
    settings.ORCHESTRATOR_URL = ""
    return settle_in(world)


@pytest.fixture
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a worker was asked to do."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "governance.views.reconciliations.queue.enqueue", lambda _name, **given: found.append(given)
    )
    return found


def work(asked: list[dict[str, Any]]) -> None:
    while asked:
        jobs.reconcile(**asked.pop())


def test_it_is_compared_then_repaired_and_then_all_agrees(
    house: House, client: Client, asked: list[dict[str, Any]]
) -> None:
    client.force_login(house.world.owner)
    assert "Not compared yet" in client.get(PAGE).content.decode()
    Finding.objects.update(status="verifying")
    client.post(f"{PAGE}run/")
    assert "hx-trigger" in client.get(PAGE).content.decode()
    work(asked)
    page = client.get(PAGE).content.decode()
    for told in (
        "A finding’s status isn’t what its task makes of it",
        "To be repaired",
        "Repair 1 disagreement?",
    ):
        assert told in page
    assert "A worker compares" not in page
    assert Finding.objects.get().status == "verifying"
    client.post(f"{PAGE}run/", {"apply": "yes"})
    work(asked)
    page = client.get(PAGE).content.decode()
    assert "Repaired" in page
    assert "Repair 1" not in page
    client.post(f"{PAGE}run/")
    work(asked)
    assert "All agree" in client.get(PAGE).content.decode()


def test_a_job_that_runs_twice_compares_once(
    house: House, client: Client, asked: list[dict[str, Any]]
) -> None:
    client.force_login(house.world.owner)
    client.post(f"{PAGE}run/")
    (given,) = asked
    work([given, given])
    assert Reconciliation.objects.count() == 1


def test_an_auditor_reads_what_was_found_and_is_offered_nothing_to_press(
    house: House, client: Client
) -> None:
    house.reconcile()
    client.force_login(house.world.viewer)
    page = client.get(PAGE).content.decode()
    assert "What is compared" in page
    assert f'href="{PAGE}"' in client.get("/g/acme/ledger/").content.decode()
    for button in ("Compare now", "Repair</button>", "Deliveries</a>"):
        assert button not in page


@pytest.mark.parametrize("who", ["viewer", "outsider", "tenant_admin"])
def test_only_owners_compare_and_repair(
    house: House, client: Client, asked: list[dict[str, Any]], who: str
) -> None:
    client.force_login(getattr(house.world, who))
    assert client.get(PAGE).status_code == (200 if who == "viewer" else 404)
    assert client.post(f"{PAGE}run/", {"apply": "yes"}).status_code == 404
    assert not asked


def test_the_page_costs_the_same_however_much_disagrees(
    house: House, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(house.world.owner)
    row = house.reconcile()
    one = {"kind": "finding", "title": "x", "subject": "x", "says": {"a": "b"}, "remedy": "x"}
    more = [{**one, "mends": True, "repaired": False, "hindered": ""}] * 300
    Reconciliation.objects.filter(pk=row.pk).update(disagreements=more)
    with django_assert_max_num_queries(12):
        assert "And 100 more" in client.get(PAGE).content.decode()


def test_the_command_ends_with_what_is_left(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch, "version_policy_reconcile")
    assert run().code == 0
    Finding.objects.update(status="verifying")
    shown = run("--json")
    assert shown.code == 3
    (group,) = shown.json["groups"]
    assert (group["found"], group["repaired"], group["left"]) == (1, 0, 1)
    assert "A finding" in run().out
    repaired = run("--apply", "--json")
    assert (repaired.code, repaired.json["groups"][0]["repaired"]) == (0, 1)
    assert "All agree" in run("--apply").out
    house.plan.tasks.update(status="accepted", order_id="order-1")
    assert run("--apply").code == 4
    assert run("--group", "nobody").code == 2


def test_a_service_with_the_scope_compares_and_repairs(house: House, service: Any) -> None:  # noqa: F811
    caller = service(Permission.RECONCILE)
    assert caller.get("version/governance/reconciliation").status_code == 404
    Finding.objects.update(status="verifying")
    found = caller.post("version/governance/reconcile", {}).json()
    assert (found["found"], found["repaired"], found["left"]) == (1, 0, 1)
    assert caller.post("version/governance/reconcile", {"apply": True}).json()["repaired"] == 1
    assert caller.get("version/governance/reconciliation").json()["applied"] is True
    assert service(Permission.PLAN_OPERATE).post("version/governance/reconcile", {}).status_code == 403


@pytest.mark.usefixtures("house")
def test_a_service_that_compares_holds_nothing_between_two_repairs(
    service: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outside, within = len(connection.savepoint_ids), list[int]()
    compare = reconciliation.reconcile

    def watched(*args: Any, **kinds: Any) -> Any:
        within.append(len(connection.savepoint_ids))
        return compare(*args, **kinds)

    monkeypatch.setattr(reconciliation, "reconcile", watched)
    caller = service(Permission.RECONCILE)
    first = caller.post("version/governance/reconcile", {"apply": True}, key="a").json()
    assert within == [outside], "in no transaction of the request's"
    assert caller.post("version/governance/reconcile", {"apply": True}, key="a").json() == first
    assert len(within) == 1
