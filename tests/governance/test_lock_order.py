"""Whoever changes rows that detection and evaluation change takes the ledger's lock before them.

Detection and evaluation hold it while they write. A change that locked its rows first and the ledger last
would wait for them while they wait for it, and the database would end one of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import OutboxMessage
from config.access import SYSTEM, Actor, ActorKind
from governance import conflicts, delivery, drift, exemptions, pipeline, plans, policies, upgrades
from governance.models import Conflict, Plan, Policy, UpgradeTask
from governance.models.snapshot import Trigger
from tenants import enrolment, people
from tenants.models import DirectoryPerson, Origin
from tenants.rosters import Person, Roster
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db
PERSON = Actor(ActorKind.PERSON, 1, "someone")


def locks_in_order(work: Callable[[], object]) -> list[str]:
    """What takes a lock, in order: `ledger`, or the start of a statement that locks rows that are there."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        work()
    taken = [query["sql"] for query in captured.captured_queries]
    locking = ("pg_advisory_xact_lock", 'UPDATE "', "FOR UPDATE", "FOR NO KEY UPDATE")
    return [
        "ledger" if "pg_advisory_xact_lock" in sql else sql[:60]
        for sql in taken
        if any(word in sql for word in locking)
    ]


def test_a_task_that_moves(world: World) -> None:
    task = rollout.running_task(world)
    to = UpgradeTask.Status.DISPATCHED
    assert locks_in_order(lambda: upgrades.move(task, to, actor=SYSTEM, at=AT))[0] == "ledger"


def test_tasks_that_are_handed_over(world: World) -> None:
    rollout.running_task(world)
    assert locks_in_order(lambda: upgrades.dispatch_due(world.group, at=AT))[0] == "ledger"


def test_an_answer_of_the_orchestrator(world: World) -> None:
    rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    message = OutboxMessage.objects.get(destination="orchestrator")
    sender = delivery.SENDERS["orchestrator"]
    assert locks_in_order(lambda: sender.settle(message, {"id": "order-1"}, AT))[0] == "ledger"


@pytest.mark.parametrize("change", [plans.pause, plans.cancel])
def test_a_plan_that_is_stopped(world: World, change: Callable[..., None]) -> None:
    rollout.running_task(world)
    plan = Plan.objects.get()
    assert locks_in_order(lambda: change(plan, actor=PERSON, at=AT))[0] == "ledger"


@pytest.mark.parametrize("change", [policies.pause, policies.retire])
def test_a_policy_that_is_stopped(world: World, change: Callable[..., None]) -> None:
    rollout.running_task(world)
    policy = Policy.objects.get(name="core")
    assert locks_in_order(lambda: change(policy, actor=PERSON, at=AT))[0] == "ledger"


def test_a_decision_on_a_conflict(world: World) -> None:
    rollout.world_behind(world)
    factories.policy(world.group, "freeze", [{"name": "hold", "plugins": ["crm"], "hold": True}])
    policies.settle(world.group, actor=SYSTEM, at=AT)
    conflict = Conflict.objects.get()
    aside = [{"policy": "freeze", "key": "hold"}]

    def decide() -> None:
        conflicts.decide(conflict, set_aside=aside, reason="over", actor=PERSON, at=AT)

    assert locks_in_order(decide)[0] == "ledger"
    assert locks_in_order(lambda: conflicts.reopen(conflict, reason="", actor=PERSON, at=AT))[0] == "ledger"


def test_an_exemption_that_is_granted_and_ends(world: World) -> None:
    rollout.world_behind(world)
    drift.detect(world.group, at=AT)
    policy, until = Policy.objects.get(name="core"), AT + timedelta(days=1)
    asked = exemptions.request(world.tenant_b, policy, reason="busy", expires_at=until, actor=PERSON, at=AT)
    assert locks_in_order(lambda: exemptions.approve(asked, actor=SYSTEM, at=AT))[0] == "ledger"
    assert locks_in_order(lambda: exemptions.expire_due(world.group, at=until))[0] == "ledger"


def test_a_directory_that_is_taken_over_holds_nothing_but_its_group_before(world: World) -> None:
    viewer = world.viewer.username
    roster = Roster({viewer: Person(viewer)}, disabled=frozenset({viewer}))

    def take() -> None:
        enrolment.take(world.group, roster, origin=Origin.FILE, actor=SYSTEM, at=AT)

    group, ledger, *people = locks_in_order(take)
    assert 'tenants_group"' in group
    assert ledger == "ledger"
    assert people


def test_a_person_whose_address_changes_or_who_is_enabled_again(world: World) -> None:
    DirectoryPerson.objects.create(group=world.group, user=world.viewer, origin=Origin.LDAP, disabled=True)
    owner = Actor(ActorKind.PERSON, world.owner.pk, "owner")
    group, viewer = world.group, world.viewer
    for change in (
        lambda: people.enable(group, viewer, actor=owner, at=AT),
        lambda: people.change_address(group, viewer, "a@example.org", actor=owner, at=AT),
    ):
        ledger, *rows = locks_in_order(change)
        assert ledger == "ledger"
        assert rows


def test_a_run_that_starts_leaves_others_to_refer_to_the_group(world: World) -> None:
    def start() -> None:
        pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)

    with CaptureQueriesContext(connection) as captured:
        start()
    assert not [query for query in captured.captured_queries if " FOR UPDATE" in query["sql"]]
