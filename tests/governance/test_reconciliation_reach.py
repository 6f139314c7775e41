"""How far a reconciliation looks back: what was over when the last clean one began isn't looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import ledger
from audit.ledger import Mark
from audit.models import Entry
from config import queue
from config.access import SYSTEM
from governance import drift, exemptions, reconciliation, upgrades
from governance.models import Exemption, Plan, Reconciliation, UpgradeTask
from tests.factories import AT
from tests.governance import rollout
from tests.governance.commanding import shell
from tests.governance.reconciling import LATER, House, settle_in
from tests.ground import Kind

DAY = timedelta(days=1)


SCENE = Kind(settle_in)


@pytest.fixture
def house(standing_scene: House) -> House:
    return standing_scene


@pytest.fixture
def finished(house: House) -> House:
    """Its plan is done, and a reconciliation long after that found nothing."""
    upgrades.move(house.task, UpgradeTask.Status.VERIFYING, actor=SYSTEM, at=AT)
    rollout.report(house.world, "tenant-b", "2.4.0", AT + timedelta(minutes=1))
    upgrades.verify(house.world.group, at=AT + timedelta(minutes=1))
    drift.detect(house.world.group, at=AT)
    house.message.delete()
    Reconciliation.objects.all().delete()
    assert Plan.objects.get().status == Plan.Status.COMPLETED
    first = reconcile(house, AT + DAY)
    assert (first.whole, first.disagreements) == (True, [])
    return house


def reconcile(house: House, at: datetime, *, whole: bool = False) -> Reconciliation:
    return reconciliation.reconcile(house.world.group, apply=False, actor=SYSTEM, at=at, whole=whole)


def kinds(row: Reconciliation) -> list[str]:
    return [one["kind"] for one in row.disagreements]


def change_behind_the_back(sequence: int) -> None:
    """As only who owns the database can."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entry SET actor_name = 'x' WHERE sequence = %s", [sequence])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def test_the_first_looks_at_everything_and_the_next_at_what_came_since(finished: House) -> None:
    before = ledger.end(finished.world.group.pk)
    upgrades_since = reconcile(finished, AT + 2 * DAY)
    assert (upgrades_since.whole, upgrades_since.disagreements) == (False, [])
    assert upgrades_since.compared["entries"] == 0
    assert upgrades_since.compared["tasks"] == 0
    assert reconcile(finished, AT + 2 * DAY, whole=True).compared["tasks"] == 1
    rollout.report(finished.world, "tenant-b", "2.3.0", AT + 2 * DAY)
    third = reconcile(finished, AT + 3 * DAY)
    assert third.compared["entries"] == ledger.end(finished.world.group.pk).sequence - before.sequence > 0


def test_what_was_long_over_is_looked_at_only_where_all_is(finished: House) -> None:
    UpgradeTask.objects.update(status="given_up")
    assert kinds(reconcile(finished, AT + 2 * DAY)) == []
    assert kinds(reconcile(finished, AT + 2 * DAY, whole=True)) == ["entry_missing"]


def test_what_was_opened_again_is_looked_at_whenever_it_was_over(finished: House) -> None:
    Plan.objects.update(status="running")
    assert set(kinds(reconcile(finished, AT + 2 * DAY))) == {"plan_unfinished", "entry_missing"}


@pytest.mark.parametrize("ended", [Exemption.Status.REJECTED, Exemption.Status.EXPIRED])
def test_an_exemption_that_was_open_then_and_is_over_without_an_entry_is_looked_at(
    finished: House, ended: Exemption.Status
) -> None:
    tenant, until = finished.world.tenant_b, AT + 2 * DAY
    asked = exemptions.request(tenant, finished.policy, reason="x", expires_at=until, actor=SYSTEM, at=AT)
    assert kinds(reconcile(finished, AT + 7 * DAY)) == []
    Exemption.objects.filter(pk=asked.pk).update(status=ended)
    assert kinds(reconcile(finished, AT + 14 * DAY)) == ["entry_missing"]


def test_what_was_written_while_no_audit_service_was_named_is_missed_there_once_one_is(
    finished: House, settings: LazySettings
) -> None:
    def ask(at: datetime) -> None:
        tenant, until = finished.world.tenant_b, at + DAY
        exemptions.request(tenant, finished.policy, reason="x", expires_at=until, actor=SYSTEM, at=at)

    settings.AUDIT_URL = "https://audit.example.org"
    ask(AT + 2 * DAY)
    assert kinds(reconcile(finished, AT + 3 * DAY)) == []
    settings.AUDIT_URL = ""
    ask(AT + 4 * DAY)
    assert kinds(reconcile(finished, AT + 5 * DAY)) == []
    settings.AUDIT_URL = "https://audit.example.org"
    assert kinds(reconcile(finished, AT + 6 * DAY)) == ["entry_unreported"]


def test_one_that_is_over_without_a_time_of_its_end_is_looked_at(finished: House) -> None:
    Plan.objects.update(status="cancelled", finished_at=None)
    UpgradeTask.objects.update(status="cancelled", finished_at=None)
    assert kinds(reconcile(finished, AT + 2 * DAY)) == ["entry_missing", "entry_missing"]


def test_one_that_left_something_counts_for_nothing(house: House) -> None:
    UpgradeTask.objects.update(status="running")
    found = kinds(reconcile(house, LATER))
    assert found
    again = reconcile(house, LATER + DAY)
    assert (again.whole, kinds(again)) == (True, found)


def test_after_a_repair_a_second_run_finds_nothing_and_only_looks_at_what_is_new(house: House) -> None:
    Plan.objects.update(status="completed")
    repaired = reconciliation.reconcile(house.world.group, apply=True, actor=SYSTEM, at=LATER)
    assert repaired.disagreements
    again = reconcile(house, LATER + DAY)
    assert (again.whole, kinds(again)) == (False, [])
    assert kinds(reconcile(house, LATER + DAY, whole=True)) == []


def test_the_chain_is_held_to_the_place_up_to_which_it_held(finished: House) -> None:
    last = ledger.end(finished.world.group.pk)
    change_behind_the_back(2)
    assert kinds(reconcile(finished, AT + 2 * DAY)) == [], "verified before"
    change_behind_the_back(last.sequence)
    assert kinds(reconcile(finished, AT + 3 * DAY)) == ["chain"]
    whole = reconcile(finished, AT + 3 * DAY, whole=True)
    assert {one["subject"] for one in whole.disagreements} == {"Entry 2", f"Entry {last.sequence}"}


def test_a_chain_that_lost_its_tail_shows(finished: House) -> None:
    group_id = finished.world.group.pk
    assert ledger.verify(group_id, after=ledger.end(group_id)) == []
    beyond = Mark(ledger.end(group_id).sequence + 1, "0" * 64)
    assert [fault.sequence for fault in ledger.verify(group_id, after=beyond)] == [beyond.sequence]


def test_it_asks_for_no_old_task(finished: House) -> None:
    with CaptureQueriesContext(connection) as asked:
        reconcile(finished, AT + 2 * DAY)
    last_entries = [one["sql"] for one in asked if "DISTINCT ON" in one["sql"]]
    assert not [sql for sql in last_entries if "upgradetask" in sql]
    assert Entry.objects.filter(subject_kind="upgradetask").exists()


def test_the_command_and_the_page_look_at_all_where_they_are_told_to(
    finished: House, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch, "version_policy_reconcile")
    chosen = ("--group", "acme", "--json")
    assert run(*chosen).json["groups"][0]["whole"] is False
    assert run(*chosen, "--all").json["groups"][0]["whole"] is True
    client.force_login(finished.world.owner)
    for data, whole, told in (
        ({}, False, "has changed since"),
        ({"all": "yes"}, True, "from the beginning on"),
    ):
        client.post("/g/acme/reconciliation/run/", data)
        queue.run_pending()
        last = Reconciliation.objects.latest("at")
        assert last.whole is whole
        assert told in client.get("/g/acme/reconciliation/").content.decode()
