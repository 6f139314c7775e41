"""Many callers at once: one plan for the same policies, and no tenant handed over twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from audit import ledger
from audit.models import OutboxMessage
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import decisions, drift, plans, upgrades
from governance.models import Plan, UpgradeTask
from tests import factories
from tests.factories import AT, World

CALLERS = 6


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Stands in for the usual one, which would roll back: other connections must see what is done here."""
    with django_db_blocker.unblock():
        yield
        _empty()
        connections.close_all()


def _empty() -> None:
    """Take away what was committed; a ledger lets nothing go, but for other tests it must."""
    ours = ("governance_", "audit_", "tenants_")
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith(ours)]
        for switch in ("DISABLE", "ENABLE"):
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} {switch} TRIGGER USER")
            if switch == "DISABLE":
                cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What each of several callers gets who all begin at the same moment, each on a connection of its own."""
    gate = Barrier(CALLERS)

    def call(number: int) -> Any:
        try:
            gate.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(call, range(CALLERS)))


@pytest.fixture
def fleet(world: World) -> World:
    """Eight tenants, each behind two policies that enforce."""
    for name in ("crm", "erp"):
        factories.plugin(world.group, name, ["1.0.0", "1.1.0"])
        rule = {"name": name, "plugins": [name], "at_least": "1.1.0"}
        limits = {"at_once": 5}
        factories.policy(world.group, name, [rule], profile={"mode": "enforce", "limits": limits})
    for number in range(8):
        factories.install(factories.tenant(world.group, f"site-{number}"), {"crm": "1.0.0", "erp": "1.0.0"})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    return world


def enforce(world: World, names: tuple[str, ...]) -> Plan | None:
    """Draft, start and hand over, as a caller that knows of no other does."""
    plan = plans.draft(world.group, policy_names=names, at=AT, actor=SYSTEM)
    if plan is not None:
        # Another caller may have been faster: the plan runs, or gave way to the other's.
        with suppress(TransitionError):
            plans.start(plan, actor=SYSTEM, at=AT)
    upgrades.dispatch_due(world.group, at=AT)
    return plan


def handed_over() -> list[str]:
    rows = OutboxMessage.objects.filter(destination="orchestrator")
    return [message.payload["tenant"] for message in rows]


def test_the_same_policies_make_one_plan_however_many_ask(fleet: World) -> None:
    made = at_once(lambda _: enforce(fleet, ("crm", "erp")))
    started = Plan.objects.get()
    assert {plan for plan in made if plan is not None} == {started}
    assert (started.status, started.tasks.count()) == (Plan.Status.RUNNING, 8)
    assert not ledger.verify(fleet.group.pk)


def test_limits_hold_however_many_hand_over(fleet: World) -> None:
    at_once(lambda _: enforce(fleet, ("crm", "erp")))
    assert UpgradeTask.objects.filter(status="dispatched").count() == 5
    assert len(handed_over()) == len(set(handed_over())) == 5


def test_overlapping_policies_never_hand_a_tenant_over_twice(fleet: World) -> None:
    sets = (("crm",), ("erp",), ("crm", "erp"))
    at_once(lambda number: enforce(fleet, sets[number % len(sets)]))
    for _ in range(3):  # what is left of it, with the first ones out of the way
        UpgradeTask.objects.filter(status="dispatched").update(status="running")
        at_once(lambda number: enforce(fleet, sets[number % len(sets)]))
    assert len(handed_over()) == len(set(handed_over()))
    under_way = UpgradeTask.objects.unfinished().values_list("tenant_id", flat=True)
    assert len(under_way) == len(set(under_way))
    assert not ledger.verify(fleet.group.pk)
