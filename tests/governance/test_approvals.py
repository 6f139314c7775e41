"""Plans that someone else than their author approves, where the profile says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import decisions, drift, pipeline, plans, waiting
from governance.models import Plan, Run
from governance.models.snapshot import Trigger
from tenants.models import Role, User
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
Status = Plan.Status


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def approver(world: World) -> User:
    return factories.member(world.group, "approver", Role.APPROVER)


def prepare(world: World, **profile: Any) -> None:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    profile = {"mode": "enforce", "approval": True, **profile}
    factories.policy(world.group, "floor", [rule], profile=profile)
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)


def drafted(world: World, **profile: Any) -> Plan:
    """The owner's."""
    prepare(world, **profile)
    plan = plans.draft(world.group, at=AT, actor=world.access(world.owner).actor)
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    "tightened",
    [
        {"approval": True},
        {"limits": {"at_once": 1}},
        {"rings": [{"name": "all", "tenants": "*", "wait": "2d"}]},
    ],
)
def test_a_profile_that_says_more_meanwhile_makes_another_plan(
    world: World, tightened: dict[str, Any]
) -> None:
    prepare(world, approval=False)
    before = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert before is not None
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce", **tightened})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    after = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert after is not None
    before.refresh_from_db()
    assert (before.status, after.status) == (Status.CANCELLED, Status.DRAFTED)
    task = after.tasks.get()
    assert (after.needs_approval, after.limits, task.ring_wait.days) == (
        "approval" in tightened,
        tightened.get("limits", {}),
        2 if "rings" in tightened else 0,
    )
    assert plans.draft(world.group, at=AT, actor=SYSTEM) == after


def test_a_plan_starts_only_once_someone_else_approved_it(world: World, approver: User) -> None:
    plan = drafted(world)
    with pytest.raises(plans.NeedsApproval):
        plans.start(plan, actor=SYSTEM, at=AT)
    plans.approve(plan, actor=world.access(approver).actor, at=AT, reason="Looks right.")
    assert (plan.status, plan.approved_by_name) == (Status.APPROVED, world.access(approver).actor.name)
    assert Entry.objects.get(action="plan.approved").data["reason"] == "Looks right."
    plans.start(plan, actor=SYSTEM, at=AT)
    assert plan.status == Status.RUNNING


def test_its_author_cannot(world: World) -> None:
    plan = drafted(world)
    entries = Entry.objects.count()
    with pytest.raises(plans.FourEyes):
        plans.approve(plan, actor=world.access(world.owner).actor, at=AT)
    plan.refresh_from_db()
    assert (plan.status, Entry.objects.count()) == (Status.DRAFTED, entries)


def test_whoever_started_the_run_is_the_author_of_its_plan(world: World, approver: User) -> None:
    prepare(world)
    owner = world.access(world.owner).actor
    run = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=owner, at=AT)
    run = pipeline.advance_run(run.pk, clock=lambda: AT)
    assert run.figures["execute"]["waits_for_a_person"] == 1
    assert run.plan is not None
    assert run.plan.status == Status.DRAFTED
    with pytest.raises(plans.FourEyes):
        plans.approve(run.plan, actor=owner, at=AT)
    plans.approve(run.plan, actor=world.access(approver).actor, at=AT)


def test_the_next_run_starts_what_was_approved(world: World, approver: User) -> None:
    plan = drafted(world)
    plans.approve(plan, actor=world.access(approver).actor, at=AT)
    run = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    assert pipeline.advance_run(run.pk, clock=lambda: AT).status == Run.Status.ACTING
    plan.refresh_from_db()
    assert plan.status == Status.RUNNING


def test_an_approval_is_of_the_plan_as_it_is(world: World, approver: User) -> None:
    plan = drafted(world)
    plans.approve(plan, actor=world.access(approver).actor, at=AT)
    factories.install(world.tenant_a, {"crm": "2.3.0"})
    drift.detect(world.group, at=AT)
    another = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert another is not None
    plan.refresh_from_db()
    assert (plan.status, another.status) == (Status.CANCELLED, Status.DRAFTED)
    with pytest.raises(TransitionError):
        plans.approve(plan, actor=SYSTEM, at=AT)


def test_without_the_profiles_word_nobody_is_asked(world: World) -> None:
    plan = drafted(world, approval=False)
    plans.start(plan, actor=SYSTEM, at=AT)
    assert plan.status == Status.RUNNING


def test_a_task_says_what_its_plan_waits_for(world: World) -> None:
    plan = drafted(world)
    task = plan.tasks.select_related("group", "plan", "tenant").get()
    told = "The plan waits for the approval of someone else than its author."
    assert waiting.explain_one(task, at=AT) == waiting.Explanation(told)


def test_the_page_offers_each_what_they_may(world: World, approver: User, client: Client) -> None:
    plan = drafted(world)
    path = f"/g/acme/plans/{plan.pk}/"
    client.force_login(world.owner)
    page = client.get(path).content.decode()
    assert "Approve</button>" not in page
    assert "Start</button>" not in page
    assert "is yours" in client.post(f"{path}approve/", follow=True).content.decode()
    assert "waits for the approval" in client.post(f"{path}start/", follow=True).content.decode()
    client.force_login(approver)
    assert "Approve</button>" in client.get(path).content.decode()
    client.post(f"{path}approve/")
    client.force_login(world.owner)
    assert "Start</button>" in client.get(path).content.decode()
    client.post(f"{path}start/")
    plan.refresh_from_db()
    assert plan.status == Status.RUNNING


def test_a_person_who_pauses_says_why(world: World, client: Client) -> None:
    plan = drafted(world, approval=False)
    plans.start(plan, actor=SYSTEM, at=AT)
    client.force_login(world.owner)
    path = f"/g/acme/plans/{plan.pk}/"
    refused = client.post(f"{path}pause/", {"reason": " "}, follow=True).content.decode()
    assert "Say why it is to pause" in refused
    plan.refresh_from_db()
    assert plan.status == Status.RUNNING
    client.post(f"{path}pause/", {"reason": "Customers call."})
    page = client.get(path).content.decode()
    assert "The plan is paused: Customers call." in page
    assert Entry.objects.get(action="plan.paused").data["reason"] == "Customers call."


@pytest.mark.parametrize("status", sorted(set(Status.values) - {"paused"}))
def test_only_a_paused_plan_is_resumed_so_that_nobody_gets_round_the_approval(
    world: World, status: str
) -> None:
    plan = drafted(world)
    Plan.objects.update(status=status)
    with pytest.raises(TransitionError):
        plans.resume(plan, actor=SYSTEM, at=AT)
    plan.refresh_from_db()
    assert plan.status == status
