"""Every kind of disagreement: made behind the product's back, named, repaired, and gone the next time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from audit import ledger
from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import exemptions, plans, policies, upgrades
from governance.models import Exemption, Finding, Installation, Plan, Policy, Release, Snapshot, UpgradeTask
from governance.orchestrator import OrderStatus
from governance.reconciliation import asking, gathering, repairing, running
from tenants.models import Group
from tests import factories
from tests.factories import AT
from tests.governance.reconciling import LATER, House, settle_in
from tests.ground import Kind

Spoil = Callable[[House], object]
SCENE = Kind(settle_in)


@pytest.fixture
def house(standing_scene: House) -> House:
    return standing_scene


def _install_older(house: House) -> None:
    older = Release.objects.get(plugin__name="crm", version="2.3.0")
    Installation.objects.filter(tenant=house.world.tenant_a, plugin__name="crm").update(release=older)


def _install_more(house: House) -> None:
    lib = factories.plugin(house.world.group, "lib", ["1.0.0"])
    row = {"group": lib.group, "tenant": house.world.tenant_a, "since": house.world.group.open_snapshot}
    Installation.objects.create(plugin=lib, release=lib.releases.get(), **row)


def _close_finding(_house: House) -> None:
    Finding.objects.update(status="resolved", closed_at=AT)


def _finding_without_cause(house: House) -> None:
    finding = Finding.objects.get()
    finding.pk, finding.tenant = None, house.world.tenant_a
    finding.status = Finding.Status.NEW
    finding.save(force_insert=True)


def _end_plan(house: House) -> None:
    plans.cancel(house.plan, actor=SYSTEM, at=AT)
    UpgradeTask.objects.update(status="queued", wait_reason="", order_id="")
    OutboxMessage.objects.all().delete()


def _finish_task(_house: House) -> None:
    UpgradeTask.objects.update(status="cancelled", finished_at=AT)
    OutboxMessage.objects.update(status="delivered")
    Finding.objects.update(status="new")


def _answer_missed(_house: House) -> None:
    OutboxMessage.objects.update(status="delivered", delivered_at=AT, response={"id": "order-1"})


def _dead(_house: House) -> None:
    OutboxMessage.objects.update(status="dead", last_error="It refused.")


def _stale_message(house: House) -> None:
    word = OrderStatus("order-1", str(house.task.pk), "cancelled", "", AT)
    upgrades.write_back(word, actor=SYSTEM, at=AT)


REPAIRED: list[tuple[Spoil, set[str]]] = [
    (_install_older, {"installation", "finding"}),
    (_install_more, {"installation"}),
    (_close_finding, {"finding"}),
    (_finding_without_cause, {"finding"}),
    (lambda _: Finding.objects.update(status="verifying"), {"finding_status"}),
    (lambda _: Group.objects.filter(slug="acme").update(open_snapshot=1), {"snapshot_number"}),
    (_end_plan, {"task_of_ended_plan", "entry_missing", "finding_status"}),
    (_finish_task, {"plan_unfinished", "entry_missing"}),
    (lambda _: OutboxMessage.objects.all().delete(), {"handover_missing"}),
    (_answer_missed, {"answer_missed"}),
    (_dead, {"given_up"}),
    (_stale_message, {"handover_stale"}),
    (lambda _: UpgradeTask.objects.update(status="running", order_id="order-1"), {"entry_missing"}),
    (lambda _: Policy.objects.update(status="paused"), {"entry_missing"}),
    (lambda _: Policy.objects.update(status="retired"), {"entry_missing", "finding"}),
    (lambda _: Plan.objects.update(status="paused"), {"entry_missing"}),
]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No orchestrator is asked: what it says is a matter of its own."""
    monkeypatch.setattr(asking, "ask", lambda *_: asking.Answers())


def test_where_all_agrees_nothing_is_found(house: House, alone: None) -> None:
    row = house.reconcile()
    assert (row.disagreements, row.left, row.applied) == ([], 0, False)
    assert (row.compared["tenants"], row.compared["tasks"]) == (2, 1)


@pytest.mark.parametrize(("spoil", "kinds"), REPAIRED)
def test_what_has_one_right_answer_is_named_repaired_and_gone(
    house: House, alone: None, spoil: Spoil, kinds: set[str]
) -> None:
    spoil(house)
    entries = Entry.objects.count()
    assert set(house.kinds()) == kinds
    assert Entry.objects.count() == entries
    row = house.reconcile(apply=True)
    assert {one["kind"] for one in row.disagreements} & kinds
    assert row.left == 0, row.disagreements
    written = Entry.objects.filter(action="disagreement.repaired")
    assert {entry.data["kind"] for entry in written} == {one["kind"] for one in row.disagreements}
    assert house.kinds() == []
    assert house.kinds(apply=True) == []
    assert not ledger.verify(house.world.group.pk)


def test_installations_go_by_the_newest_manifest_and_findings_follow(house: House, alone: None) -> None:
    _install_older(house)
    house.reconcile(apply=True)
    now = Installation.objects.current().get(tenant=house.world.tenant_a, plugin__name="crm")
    assert now.release.version == "2.4.0"
    assert not Finding.objects.open().filter(tenant=house.world.tenant_a).exists()


def test_a_message_that_is_posted_again_has_the_same_key(house: House, alone: None) -> None:
    before = house.message
    OutboxMessage.objects.all().delete()
    house.reconcile(apply=True)
    assert (house.message.idempotency_key, house.message.payload) == (before.idempotency_key, before.payload)


def test_what_somebody_is_sending_right_now_is_left_to_him(house: House, alone: None) -> None:
    _stale_message(house)
    OutboxMessage.objects.update(lease_until=LATER)
    assert house.kinds() == []


def test_a_missing_entry_is_made_up_for_by_one_that_says_it_was_found_so(house: House, alone: None) -> None:
    Plan.objects.update(status="paused")
    house.reconcile(apply=True)
    entry = Entry.objects.get(action="disagreement.repaired")
    assert (entry.subject_kind, entry.subject_id) == ("plan", str(house.plan.pk))
    assert entry.data["says"] == {"plan": "paused", "ledger": "plan.started"}
    Plan.objects.update(status="running")
    assert house.kinds() == ["entry_missing"]


@pytest.mark.parametrize("model", [Policy, Exemption, Snapshot])
def test_every_kind_of_record_is_held_to_the_ledger(house: House, alone: None, model: Any) -> None:
    asked = exemptions.request(
        *(house.world.tenant_b, house.policy),
        reason="Books close.",
        expires_at=AT + timedelta(days=9),
        actor=SYSTEM,
        at=AT,
    )
    exemptions.reject(asked, actor=SYSTEM, at=AT)
    assert house.kinds() == []
    spoilt: dict[Any, Spoil] = {
        Policy: lambda _: Policy.objects.update(status="draft"),
        Exemption: lambda _: Exemption.objects.update(status="requested"),
        Snapshot: lambda _: Snapshot.objects.create(
            group=house.world.group,
            number=0,
            sealed_at=AT,
            trigger="hand",
            actor_name="x",
            digest="",
            tenants=0,
            installations=0,
            opened=0,
            closed=0,
        ),
    }
    spoilt[model](house)
    assert "entry_missing" in house.kinds()


def test_a_policy_that_was_paused_and_changed_is_explained(house: House, alone: None) -> None:
    policies.pause(house.policy, actor=SYSTEM, at=AT)
    document = {**policies.as_written(house.policy.current.document), "title": "New"}  # type: ignore[union-attr]
    policies.apply(house.world.group, document, actor=SYSTEM, at=AT)
    assert house.kinds() == []


def test_a_broken_chain_and_changed_history_are_left_to_a_person(house: House, alone: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entry SET actor_name = 'nobody' WHERE sequence = 3")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    Snapshot.objects.update(installations=77)
    row = house.reconcile(apply=True)
    assert {(one["kind"], one["mends"], one["repaired"]) for one in row.disagreements} == {
        ("chain", False, False),
        ("snapshot_count", False, False),
    }
    assert row.left == 2


def test_entries_that_the_audit_service_never_got_are_posted_again(
    house: House, alone: None, settings: Any
) -> None:
    settings.AUDIT_URL = "https://audit.example.org"
    plans.pause(house.plan, actor=SYSTEM, at=LATER, reason="x")
    plans.resume(house.plan, actor=SYSTEM, at=LATER)
    sent = OutboxMessage.objects.filter(destination="audit").order_by("created_at")
    assert sent.count() == 2
    sent.filter(payload__action="plan.resumed").delete()
    assert house.kinds() == ["entry_unreported"]
    assert house.reconcile(apply=True).left == 0
    assert OutboxMessage.objects.filter(destination="audit", payload__action="plan.resumed").count() == 1


def test_a_repair_that_fails_leaves_nothing_behind_and_the_rest_is_repaired(
    house: House, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install_older(house)
    Plan.objects.update(status="paused")

    def fail(one: Any, hand: Any) -> None:
        Snapshot.objects.all().delete()
        raise ValueError("no")

    monkeypatch.setitem(repairing._MENDS, "installation", fail)
    row = house.reconcile(apply=True)
    told = {
        one["kind"]: (one["repaired"], one["hindered"]) for one in row.disagreements if not one["repaired"]
    }
    assert told["installation"] == (False, "ValueError: no")
    assert Snapshot.objects.exists()
    assert Entry.objects.filter(action="disagreement.repaired", data__kind="entry_missing").exists()


def test_what_somebody_else_mends_meanwhile_is_neither_repaired_nor_told(
    house: House, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dead(house)
    found = running._found

    def late(*args: Any) -> Any:
        told = list(found(*args))
        OutboxMessage.objects.update(status="pending")
        return iter(told)

    monkeypatch.setattr(running, "_found", late)
    entries = Entry.objects.count()
    assert house.reconcile(apply=True).disagreements == []
    assert Entry.objects.count() == entries


def test_what_is_left_is_kept_before_what_was_repaired(
    house: House, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SHOWN", 1)
    Finding.objects.update(status="verifying")
    Snapshot.objects.update(installations=99)
    assert [one["kind"] for one in house.reconcile(apply=True).disagreements] == ["snapshot_count"]
    assert house.reconcile(apply=True).left == 1, "the finding was repaired all the same"


def test_a_finding_is_looked_at_again_without_the_tasks_of_other_tenants(
    house: House, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = house.task
    UpgradeTask.objects.create(
        group=task.group,
        plan=task.plan,
        tenant=house.world.tenant_a,
        status="queued",
        steps=[],
        situation_digest="",
        idempotency_key="other",
        created_at=AT,
        queue_at=AT,
    )
    looked_at: list[str] = []
    facts = gathering._facts

    def watched(one: UpgradeTask) -> Any:
        looked_at.append(one.tenant.key)
        return facts(one)

    monkeypatch.setattr(gathering, "_facts", watched)
    finding = Finding.objects.get()
    assert [one.id for one in gathering.finding_facts(task.group, [str(finding.pk)])] == [str(finding.pk)]
    assert looked_at == ["tenant-b"]
