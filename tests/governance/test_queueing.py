"""The queue in people's hands, and why a task isn't running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import time_machine
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import decisions, drift, limits, plans, queueing, upgrades, waiting, withdrawals
from governance.models import Plan, UpgradeTask
from governance.queueing import Move
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import shell

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
LATER = AT + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def plan(world: World) -> Plan:
    """Three tenants wait: tenant-a, then tenant-b, then tenant-c."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for key in ("tenant-a", "tenant-b", "tenant-c"):
        tenant = world.group.tenants.filter(key=key).first() or factories.tenant(world.group, key)
        factories.install(tenant, {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce"})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    drafted = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert drafted is not None
    for place, task in enumerate(drafted.tasks.order_by("tenant__key")):
        UpgradeTask.objects.filter(pk=task.pk).update(queue_at=AT + timedelta(minutes=place))
    plans.start(drafted, actor=SYSTEM, at=AT)
    return drafted


def of(plan: Plan, key: str) -> UpgradeTask:
    return plan.tasks.select_related("group", "plan", "tenant").get(tenant__key=key)


def in_order(plan: Plan) -> str:
    return "".join(key[-1] for key in plan.tasks.order_by("queue_at").values_list("tenant__key", flat=True))


@pytest.mark.parametrize(
    ("key", "move", "becomes"),
    [
        ("tenant-c", Move.RAISE, "cab"),
        ("tenant-a", Move.LOWER, "bca"),
        ("tenant-b", Move.FRONT, "bac"),
        ("tenant-a", Move.RAISE, "abc"),
    ],
)
def test_a_person_moves_a_task_and_says_why(plan: Plan, key: str, move: Move, becomes: str) -> None:
    queueing.prioritise(of(plan, key), move, reason="The board asked.", actor=SYSTEM, at=AT)
    assert in_order(plan) == becomes
    entry = Entry.objects.get(action="task.prioritised")
    assert (entry.data["move"], entry.data["reason"]) == (move.value, "The board asked.")


def test_what_does_not_wait_has_no_turn_to_change(plan: Plan) -> None:
    task = of(plan, "tenant-a")
    UpgradeTask.objects.filter(pk=task.pk).update(status=Status.RUNNING)
    before = UpgradeTask.objects.values().get(pk=task.pk)
    with pytest.raises(TransitionError):
        queueing.prioritise(task, Move.FRONT, reason="Now.", actor=SYSTEM, at=AT)
    assert UpgradeTask.objects.values().get(pk=task.pk) == before
    assert not Entry.objects.filter(action="task.prioritised").exists()


def test_with_a_place_free_a_task_goes_in_the_next_round(plan: Plan) -> None:
    explanation = waiting.explain_one(of(plan, "tenant-b"), at=AT)
    assert explanation == waiting.Explanation("It is handed over in the next round.", 2, AT)


def test_behind_others_it_says_how_many_and_when(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AT_ONCE", 1)
    assert upgrades.dispatch_due(plan.group, at=AT) == 1
    second, third = (waiting.explain_one(of(plan, key), at=LATER) for key in ("tenant-b", "tenant-c"))
    assert second == waiting.Explanation(
        "1 task under way in the group, of at most 1; it is the next.", 1, LATER + timedelta(hours=1)
    )
    assert third == waiting.Explanation(
        "1 task under way in the group, of at most 1; 1 goes before it.",
        2,
        LATER + timedelta(hours=2),
    )
    assert waiting.explain_one(of(plan, "tenant-a"), at=LATER) is None


def test_each_thing_in_the_way_is_named(plan: Plan) -> None:
    task = of(plan, "tenant-a")
    task.not_before = AT + timedelta(days=2)
    task.save()
    found = waiting.explain_one(task, at=AT)
    assert found == waiting.Explanation(
        "Outside its tenant’s maintenance windows; the next one opens at 2026-03-04 09:00 UTC.",
        None,
        task.not_before,
    )
    plans.pause(plan, actor=SYSTEM, at=AT)
    found = waiting.explain_one(of(plan, "tenant-a"), at=AT)
    assert found == waiting.Explanation("The plan is paused.")
    task.group.sync_enabled = False
    found = waiting.explain_one(task, at=AT)
    assert found == waiting.Explanation("The feature flag plugin-multi-tenant-sync is off.")


@pytest.mark.parametrize("counted", [1, 4, 2_000])
def test_places_are_those_in_the_order_in_which_tasks_have_their_turn(
    world: World, plan: Plan, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(waiting, "COUNTED", counted)
    paused = Plan.objects.create(
        group=plan.group,
        number=plan.number + 1,
        status=Plan.Status.PAUSED,
        snapshot_number=1,
        inputs_digest="",
        created_by_name="",
        created_at=AT,
    )
    chance = Random(counted)
    for number in range(40):
        UpgradeTask.objects.create(
            group=plan.group,
            plan=chance.choice([plan, plan, plan, paused]),
            tenant=factories.tenant(plan.group, f"other-{number}"),
            steps=[],
            situation_digest="",
            idempotency_key=str(number),
            created_at=AT,
            queue_at=AT + timedelta(minutes=chance.randrange(3)),
            ring=chance.choice([0, 0, 0, plan.open_ring + 1]),
            lease_until=chance.choice([None, None, AT, AT + timedelta(minutes=1)]),
            not_before=chance.choice([None, None, AT, AT + timedelta(minutes=1)]),
        )
    everyone = list(UpgradeTask.objects.filter(group=plan.group).values_list("pk", flat=True))
    turns = UpgradeTask.objects.filter(group=plan.group).claimable(AT).values_list("pk", flat=True)
    places = {task: min(place, counted + 2) for place, task in enumerate(turns, start=1)}
    assert 5 < len(places) < len(everyone)
    for size in (1, 5, len(everyone)):
        some = chance.sample(everyone, size)
        assert waiting._positions(plan.group, some, AT) == {t: places[t] for t in some if t in places}


def test_one_too_far_behind_is_told_before_when_its_turn_wont_come(plan: Plan) -> None:
    queue = waiting.Queue(plan.group, AT, limits.load_of(plan.group), rate=100.0)
    around = waiting.Circumstances(position=waiting.COUNTED + 2)
    told = waiting.judge(of(plan, "tenant-c"), queue, around)
    free = queue.free(limits.Limits(**plan.limits))
    soonest = AT + timedelta(hours=(waiting.COUNTED - free) / 100)
    assert f"not before {soonest:%Y-%m-%d %H:%M} UTC" in told.reason
    assert told.expected_at is None
    idle = waiting.judge(of(plan, "tenant-c"), replace(queue, rate=0.0), around)
    assert idle.reason.endswith("more than 2,000 go before it.")


def test_how_long_it_has_waited_is_said_with_why(
    world: World,
    plan: Plan,
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task, since = of(plan, "tenant-c"), AT - timedelta(hours=3)
    UpgradeTask.objects.filter(pk=task.pk).update(created_at=since)
    client.force_login(world.viewer)
    page = client.get(f"/g/acme/plans/{plan.pk}/").content.decode()
    assert len(re.findall(r"Queued <time[^>]*>3 hours ago</time>\.", page)) == 1
    run = shell(capsys, monkeypatch, "task")
    assert "Queued 3 hours ago." in " ".join(run("list").out.split())
    assert run("show", str(task.pk), "--json").json["created_at"] == since.isoformat()


def test_the_tenants_own_pages_say_why_too(world: World, plan: Plan, client: Client) -> None:
    paths = ("/g/acme/mine/", f"/g/acme/tenants/{world.tenant_a.pk}/tasks/")
    client.force_login(world.tenant_admin)
    for path in paths:
        assert "Number 1 in the queue." in client.get(path).content.decode()
    plans.pause(plan, actor=SYSTEM, at=AT, reason="Customers call.")
    for path in paths:
        assert "The plan is paused: Customers call." in client.get(path).content.decode()


def test_an_operator_moves_it_on_its_page(world: World, plan: Plan, client: Client) -> None:
    path = f"/g/acme/tasks/{of(plan, 'tenant-c').pk}/"
    client.force_login(factories.member(world.group, "operator", Role.OPERATOR))
    page = client.get(path).content.decode()
    assert "Number 3 in the queue." in page
    assert re.search(r"Expected <time[^>]*>any moment</time>\.", page)
    assert "200 for medium severity" in page
    assert client.post(f"{path}prioritise/", {"move": "front"}).status_code == 422
    client.post(f"{path}prioritise/", {"move": "front", "reason": "The board asked."})
    assert in_order(plan) == "cab"
    assert "The board asked." in client.get(path).content.decode()
    assert "Number 1 in the queue." in client.get(f"/g/acme/plans/{plan.pk}/").content.decode()


def test_a_viewer_moves_nothing(world: World, plan: Plan, client: Client) -> None:
    path = f"/g/acme/tasks/{of(plan, 'tenant-c').pk}/"
    client.force_login(world.viewer)
    assert "Send to the front" not in client.get(path).content.decode()
    assert client.post(f"{path}prioritise/", {"move": "front", "reason": "x"}).status_code == 404


def test_the_command_tells_why_and_moves(
    plan: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch, "task")
    listed = run("list", "--json").json["tasks"]
    assert [(row["tenant"], row["waiting"]["position"]) for row in listed] == [
        ("tenant-a", 1),
        ("tenant-b", 2),
        ("tenant-c", 3),
    ]
    shown = " ".join(run("list").out.split())
    assert "in the queue" in shown
    assert "any moment" in shown
    last = listed[2]["id"]
    assert run("prioritise", last, "front").code == 2
    moved = run("prioritise", last, "front", "--reason", "The board asked.", "--json")
    assert moved.json["waiting"]["position"] == 1
    assert run("show", last, "--json").json["waiting"]["because"] == "It is handed over in the next round."


def test_how_many_go_before_it_is_counted_so_far_and_said_everywhere(
    world: World,
    plan: Plan,
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "COUNTED", 1)
    monkeypatch.setattr(limits, "AT_ONCE", 1)
    explained = waiting.explain(plan.group, list(plan.tasks.select_related("plan")), at=AT)
    places = {task: (one.position, one.behind) for task, one in explained.items()}
    assert places == {
        of(plan, "tenant-a").pk: (1, None),
        of(plan, "tenant-b").pk: (2, None),
        of(plan, "tenant-c").pk: (None, 1),
    }
    task, told = of(plan, "tenant-c"), "more than 1 go before it"
    client.force_login(world.viewer)
    assert told in client.get(f"/g/acme/tasks/{task.pk}/").content.decode()
    answer = shell(capsys, monkeypatch, "task")("show", str(task.pk), "--json").json["waiting"]
    assert (answer["position"], answer["behind_more_than"], told in answer["because"]) == (None, 1, True)


def test_what_gives_way_is_what_waits_to_change_that_plugin_in_that_tenant(plan: Plan) -> None:
    pairs = {("tenant-a", "crm"), ("tenant-b", "mail")}
    assert withdrawals.give_way(plan.group, pairs, "Plan 2 is taken back.", actor=SYSTEM, at=AT) == 1
    statuses = dict(plan.tasks.values_list("tenant__key", "status"))
    assert statuses == {
        "tenant-a": Status.CANCELLED,
        "tenant-b": Status.QUEUED,
        "tenant-c": Status.QUEUED,
    }
    told = Entry.objects.get(action="task.changed").data
    assert told == {"for": "Plan 2 is taken back.", "cancelled": ["tenant-a"]}


def test_what_is_done_is_sent_nowhere_even_where_nothing_waits_any_more(plan: Plan) -> None:
    plan.tasks.update(status=Status.SUCCEEDED)
    for move in Move:
        with pytest.raises(TransitionError):
            queueing.prioritise(of(plan, "tenant-a"), move, reason="urgent", actor=SYSTEM, at=AT)
    assert not Entry.objects.filter(action="task.prioritised").exists()
