"""Reconciliation against a real orchestrator, and its comparisons over whatever facts there may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from audit.models.outbox import OutboxStatus
from governance import delivery, upgrades
from governance.models import Finding, Plan, UpgradeTask
from governance.models.plan import UNFINISHED, WAITING
from governance.reconciliation import entries, tasks
from governance.reconciliation.entries import EXPLAINED, Record
from governance.reconciliation.kinds import KINDS
from governance.reconciliation.tasks import FindingFacts, TaskFacts, Word
from sandbox.counts import counts
from sandbox.server import Sandbox
from sandbox.state import TenantState
from tests.factories import AT, World
from tests.governance.reconciling import settle_in
from tests.sandbox import inside
from tests.sandbox.process import TOKEN, eventually

STATUSES = st.sampled_from(UpgradeTask.Status.values)
MESSAGES = st.sampled_from(["", "sending", *OutboxStatus.values])


@pytest.fixture
def orchestrator(tmp_path: Path, settings: LazySettings) -> Iterator[Sandbox]:
    """It does its orders at once, and never calls back."""
    state = TenantState("acme", "tenant-b", "host", "10.0.0", {"crm": "2.3.0"}, AT)
    with inside.running(tmp_path, state, callback=False) as sandbox:
        settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN = inside.address(sandbox), TOKEN
        yield sandbox


def test_a_callback_that_never_came_and_an_order_that_nobody_knows(
    world: World, orchestrator: Sandbox
) -> None:
    house = settle_in(world)
    assert delivery.deliver_due(at=AT).delivered == 1
    eventually(
        lambda: counts(orchestrator.fleet.database)["statuses"], until=lambda found: "succeeded" in found
    )
    assert house.kinds() == ["order"]
    assert house.kinds(apply=True) == ["order"]
    assert house.task.status == UpgradeTask.Status.VERIFYING
    assert Entry.objects.filter(action="disagreement.repaired").count() == 1
    assert house.kinds() == []
    UpgradeTask.objects.update(status="accepted", order_id="nobody-knows-it")
    assert set(house.kinds()) == {"order_unknown", "finding_status", "entry_missing"}
    assert house.kinds(apply=True).count("order_unknown") == 1
    assert house.kinds() == ["order_unknown"]


def facts(**given: Any) -> TaskFacts:
    return TaskFacts("1", "a task", **{"order_id": "", "plugins": frozenset({"crm"}), **given})


@given(STATUSES, st.sampled_from(Plan.Status.values), MESSAGES, st.booleans(), st.booleans())
def test_of_a_task_at_most_one_thing_is_said_and_only_what_can_be_repaired(
    status: str, plan: str, message: str, has_order: bool, answered: bool
) -> None:
    task = facts(
        status=status,
        plan_status=plan,
        message=message,
        order_id="order" if has_order else "",
        answered="order" if answered else "",
    )
    found = list(tasks.of_tasks([task]))
    assert len(found) <= 1
    for one in found:
        assert KINDS[one.kind].mends
        assert status in {*WAITING, "dispatched"} or (one.kind, status in UNFINISHED) == (
            "handover_stale",
            False,
        )
    if message == "sending":
        assert not [one for one in found if one.kind in {"handover_stale", "given_up", "handover_missing"}]


@given(STATUSES, st.sampled_from(["accepted", "running", "succeeded", "failed", "cancelled", ""]))
def test_an_order_disagrees_only_while_the_orchestrator_has_the_task(status: str, said: str) -> None:
    task = facts(status=status, plan_status="running", order_id="order")
    found = list(tasks.of_orders([task], {"1": Word(said)}))
    assert len(found) == (
        status in tasks.OPEN and (status, said) not in {("accepted",) * 2, ("running",) * 2}
    )
    assert list(tasks.of_orders([task], {})) == []


@given(st.sampled_from(Finding.Status.values), st.none() | STATUSES, st.booleans())
def test_a_finding_that_follows_its_task_once_does_so_for_good(
    status: str, task: str | None, concerned: bool
) -> None:
    plugins = frozenset({"crm"} if concerned else ())
    behind = facts(status=task, plan_status="running", plugins=plugins) if task else None
    expected = tasks.expected_status(
        FindingFacts("1", "a finding", status, "crm", behind), upgrades.FINDING_STATUS
    )
    again = FindingFacts("1", "a finding", expected, "crm", behind)
    assert list(tasks.of_findings([again], upgrades.FINDING_STATUS)) == []


@given(st.data())
def test_a_state_is_explained_by_the_entries_that_lead_to_it_and_by_no_others(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(EXPLAINED)))
    status = data.draw(st.sampled_from(sorted(EXPLAINED[kind])))
    action = data.draw(st.sampled_from(sorted(entries.actions_of(kind))))
    found = list(entries.unexplained([Record(kind, "1", "x", status, action, status)]))
    leads = action in EXPLAINED[kind][status] or action == "disagreement.repaired"
    assert bool(found) == (not leads)
    told = Record(kind, "1", "x", status, "disagreement.repaired", "something else")
    assert len(list(entries.unexplained([told]))) == 1
