"""The three outbound contracts at Plumbline's own end, and the orchestrator's way back."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from audit.models import Entry
from config.access import SYSTEM, Permission
from config.env import signing_key
from config.lifecycle import TransitionError
from governance import orders, upgrades
from governance.models import Notification, UpgradeOrder, UpgradeTask
from tests.factories import AT, World
from tests.governance import rollout
from tests.governance.api.conftest import Issue

pytestmark = pytest.mark.django_db
STATUS = "/internal/version/upgrade/status"


def plan_body(world: World, **fields: Any) -> dict[str, Any]:
    body = {
        "group": world.group.slug,
        "plan": str(uuid.UUID(int=1)),
        "task": str(uuid.UUID(int=2)),
        "tenant": "tenant-a",
        "steps": [{"plugin": "crm", "from": "2.3.0", "to": "2.4.0"}],
        "due_at": None,
        "callback_url": "",
    }
    return {**body, **fields}


def called_back(
    task: UpgradeTask, status: str, *, secret: str = "", age: timedelta = timedelta(0), signature: str = ""
) -> Any:
    body = json.dumps({"order": "o-1", "task": str(task.pk), "status": status, "detail": "", "at": None})
    stamp = timezone.now() - age
    headers = {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": signature
        or Webhook(secret or settings.CALLBACK_SECRET).sign("m-1", stamp, body),
    }
    return Client().post(STATUS, body, content_type="application/json", headers=headers)


@pytest.fixture
def task(world: World) -> UpgradeTask:
    started = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    return started


def test_a_signed_callback_moves_the_task(task: UpgradeTask) -> None:
    assert called_back(task, "running").status_code == 200
    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.RUNNING


def test_a_callback_costs_few_statements(task: UpgradeTask, django_assert_num_queries: Any) -> None:
    """One finds, locks and reads the task, three move it and write that down, two begin and end it all."""
    for status in ("accepted", "running"):
        with django_assert_num_queries(6):
            assert called_back(task, status).status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "whsec_" + "AAAA" * 8},
        {"age": timedelta(minutes=10)},
        {"age": -timedelta(minutes=10)},
        {"signature": "v1"},
        {"signature": "v1,no-base64"},
    ],
    ids=["another secret", "too old", "too new", "no signature", "no base64"],
)
def test_a_callback_that_is_not_trusted_changes_nothing(task: UpgradeTask, forged: dict[str, Any]) -> None:
    before = Entry.objects.count()

    assert called_back(task, "succeeded", **forged).status_code == 401
    assert Entry.objects.count() == before


def test_a_callback_out_of_its_time_is_told_so(task: UpgradeTask) -> None:
    refused = called_back(task, "succeeded", age=timedelta(minutes=10)).json()
    assert "10 minutes behind this clock; up to 5 are accepted" in refused["detail"]


def test_a_callback_that_comes_twice_changes_nothing_the_second_time(task: UpgradeTask) -> None:
    assert called_back(task, "running").status_code == 200
    before = Entry.objects.count()

    assert called_back(task, "running").status_code == 200
    assert Entry.objects.count() == before


def test_while_the_secret_is_exchanged_both_are_accepted(task: UpgradeTask, settings: LazySettings) -> None:
    old, new = settings.CALLBACK_SECRET, signing_key()
    settings.CALLBACK_SECRETS = [new, old]
    assert called_back(task, "accepted", secret=old).status_code == 200
    assert called_back(task, "running", secret=new).status_code == 200

    settings.CALLBACK_SECRETS = [new]
    assert called_back(task, "succeeded", secret=old).status_code == 401


def test_an_upgrade_plan_is_taken_once(world: World, service: Issue) -> None:
    caller = service(Permission.UPGRADE_WRITE)

    first = caller.post("version/upgrade/plan", plan_body(world), key="k")
    again = caller.post("version/upgrade/plan", plan_body(world), key="k")

    assert (first.status_code, first.json()) == (202, again.json())
    assert UpgradeOrder.objects.count() == 1


def test_an_upgrade_plan_needs_its_key(world: World, service: Issue) -> None:
    assert service(Permission.UPGRADE_WRITE).post("version/upgrade/plan", plan_body(world)).status_code == 400


def test_an_upgrade_plan_for_an_unknown_tenant_is_refused(world: World, service: Issue) -> None:
    body = plan_body(world, tenant="nobody")

    answer = service(Permission.UPGRADE_WRITE).post("version/upgrade/plan", body, key="k")

    assert answer.status_code == 422
    assert not UpgradeOrder.objects.exists()


def test_an_order_reported_done_by_hand_waits_for_the_next_manifest(world: World, task: UpgradeTask) -> None:
    payload = plan_body(world, task=str(task.pk), tenant="tenant-b")
    orders.receive(world.group.pk, payload, idempotency_key="k", actor=SYSTEM, at=AT)
    order = UpgradeOrder.objects.get()

    orders.report(order, done=True, detail="by hand", actor=SYSTEM, at=AT)

    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.VERIFYING
    with pytest.raises(TransitionError):
        orders.report(order, done=True, detail="again", actor=SYSTEM, at=AT)


def test_a_digest_lands_in_the_inbox(world: World, service: Issue) -> None:
    recipient = {
        "user": world.tenant_admin.username,
        "email": "",
        "tenant": "tenant-a",
        "subject": "1 plugin is behind",
        "text": "crm 2.3.0 should be 2.4.0",
        "key": "digest-1",
    }
    caller = service(Permission.NOTIFY_SEND)

    for _ in range(2):
        answer = caller.post("notify/version", {"kind": "reminder", "recipients": [recipient]}, key="k")
        assert answer.status_code == 202, answer.json()

    assert Notification.objects.get().user == world.tenant_admin


def test_a_record_from_elsewhere_is_kept_in_the_ledger(world: World, service: Issue) -> None:
    record = {
        "at": AT.isoformat(),
        "action": "exemption.approved",
        "actor": {"name": "another installation"},
        "subject": {"label": "tenant-x"},
    }

    answer = service(Permission.AUDIT_WRITE).post("audit/version", record, key="k")

    assert answer.status_code == 201, answer.json()
    entry = Entry.objects.get(group_id=world.group.pk, sequence=answer.json()["sequence"])
    assert entry.data["record"]["actor"] == {"name": "another installation"}


def test_the_ledgers_own_entry_is_known_again(world: World, service: Issue) -> None:
    from audit.ledger import as_document

    entry = Entry.objects.filter(group_id=world.group.pk).latest("sequence")
    caller = service(Permission.AUDIT_WRITE)

    answer = caller.post("audit/version", as_document(entry))

    assert (answer.status_code, answer.json()["sequence"]) == (200, entry.sequence)
