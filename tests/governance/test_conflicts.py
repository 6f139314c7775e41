"""What people decide about conflicts: checked before it is accepted, kept, and told where it holds again."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import answers, conflicts, policies, ways_out
from governance.cli import conflicts as command_line
from governance.cli.output import Exit, Output
from governance.models import Conflict, Finding
from governance.resolution import deciding
from governance.resolution.search import Attempt, Search
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed

HOLD = {"policy": "freeze", "key": "hold"}
CAP = {"policy": "cap", "key": "crm"}
CORE = {"policy": "core", "key": "crm"}


def settle(world: World, at: datetime = AT) -> None:
    policies.settle(world.group, actor=SYSTEM, at=at)


def decide(conflict: Conflict, *set_aside: dict[str, str]) -> None:
    conflicts.decide(conflict, set_aside=set_aside, reason="Agreed.", actor=SYSTEM, at=AT)


def everything() -> tuple[Any, ...]:
    return list(Finding.objects.values()), list(Conflict.objects.values()), Entry.objects.count()


def finding(world: World) -> Finding:
    return Finding.objects.open().get(tenant=world.tenant_b, policy__name="core")


@pytest.fixture
def tangled(world: World) -> Conflict:
    """`core` raises what both the hold and the cap keep down, each by itself."""
    disputed.behind(world)
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-b"]})
    disputed.hold(world, {"keys": ["tenant-b"]})
    return Conflict.objects.waiting().get()


def test_every_minimal_set_is_told_by_itself(tangled: Conflict) -> None:
    sets = {tuple(sorted(rule["policy"] for rule in one["rules"])) for one in tangled.sets}
    assert sets == {("cap", "core"), ("core", "freeze")}
    assert tangled.explanation["complete"]
    assert tangled.stuck == ["crm"]


def test_a_way_out_keeps_what_it_takes_to_turn_it_into_something(tangled: Conflict) -> None:
    ways = {way["set_aside"][0]["policy"]: way for way in ways_out.told(tangled)}
    assert ways["core"]["rules"] == [{**CORE, "kind": "range", "plugins": [{"plugin": "crm"}]}]
    assert ways["cap"]["rules"] == [
        {**CAP, "kind": "range", "plugins": [{"plugin": "crm"}]},
        {**HOLD, "kind": "hold", "plugins": [{"plugin": "crm"}]},
    ]
    assert [case["to"] for case in ways["core"]["where"]] == [{"crm": "2.3.0"}]
    assert [case["to"] for case in ways["cap"]["where"]] == [{"crm": "2.4.0"}]


def test_a_choice_that_does_not_lead_out_is_refused_and_changes_nothing(
    world: World, tangled: Conflict
) -> None:
    before = everything()
    with pytest.raises(conflicts.DecisionRefused) as refused:
        decide(tangled, HOLD)
    assert "still no way to go for crm in tenant-b: " in str(refused.value)
    assert "cap wants crm 2.3.0 or older" in str(refused.value)
    assert everything() == before
    assert (tangled.status, tangled.set_aside) == (Conflict.Status.OPEN, [])
    decide(tangled, HOLD, CAP)
    assert str(finding(world).target) == "2.4.0"


def test_the_command_line_refuses_it_with_a_code_of_its_own(world: World, tangled: Conflict) -> None:
    said: list[str] = []
    out = Output(said.append, as_json=True)
    words = command_line.Said("Agreed.", "owner", AT)
    with pytest.raises(SystemExit) as ended, out.failures():
        command_line.decide(out, world.group, str(tangled.pk), words, set_aside=["freeze/hold"], way=None)
    assert ended.value.code == Exit.REFUSED
    assert "still no way to go for crm" in said[0]


def test_what_leads_out_in_one_tenant_is_refused_where_more_stands_in_the_way(world: World) -> None:
    third = factories.tenant(world.group, "tenant-c")
    conflict = disputed.dispute(world, held="*")
    factories.install(third, {"crm": "2.3.0"})
    settle(world)
    assert conflict.touched.count() == 2
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-c"]})
    conflicting = Conflict.objects.waiting().filter(touched__tenant=world.tenant_b).get()
    decide(conflicting, HOLD)
    left = Conflict.objects.waiting().get()
    assert [touched.tenant for touched in left.touched.all()] == [third]
    with pytest.raises(conflicts.DecisionRefused, match="tenant-c"):
        decide(left, HOLD)


def test_every_way_out_that_is_told_is_accepted(tangled: Conflict) -> None:
    assert len(tangled.ways_out) == 2
    for way in tangled.ways_out:
        conflict = Conflict.objects.get(pk=tangled.pk)
        decide(conflict, *way["set_aside"])
        assert not Conflict.objects.waiting().exists()
        conflicts.reopen(conflict, reason="x", actor=SYSTEM, at=AT)


@pytest.mark.parametrize(
    ("set_aside", "begins"),
    [
        (CORE, "Left as it is by a recorded decision "),
        (HOLD, "core wants crm 2.4.0 everywhere, by a recorded decision "),
    ],
)
def test_a_finding_names_who_decided_and_when_and_whether_it_was_earlier(
    world: World, set_aside: dict[str, str], begins: str
) -> None:
    conflict = disputed.dispute(world)
    decide(conflict, set_aside)
    told = "(decided by plumbline on 2 March 2026: Agreed.) on: freeze keeps crm at 2.3.0"
    assert finding(world).reason.startswith(f"{begins}{told}")
    factories.install(world.tenant_b, {"crm": "2.4.0"})
    settle(world, AT + timedelta(days=1))
    conflict.refresh_from_db()
    assert (conflict.status, conflict.decided_earlier) == (Conflict.Status.CLOSED, False)
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    settle(world, AT + timedelta(days=2))
    conflict.refresh_from_db()
    assert (conflict.status, conflict.decided_earlier) == (Conflict.Status.DECIDED, True)
    assert "(decided earlier by plumbline on 2 March 2026: Agreed.)" in finding(world).reason
    before = everything()
    settle(world, AT + timedelta(days=2))
    assert everything() == before


def test_a_long_reason_is_told_in_short(world: World) -> None:
    conflict = disputed.dispute(world)
    conflicts.decide(conflict, set_aside=[CORE], reason="so " * 300, actor=SYSTEM, at=AT)
    assert "so so…) on: freeze keeps" in finding(world).reason
    assert len(finding(world).reason) < 450


def test_a_tenant_that_is_too_hard_to_decide_waits_for_a_person_and_holds_nobody_up(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deciding, "directly", lambda problem, *, final: None)
    monkeypatch.setattr(Search, "best", lambda search, problem, goals: Attempt(exhausted=True))
    monkeypatch.setattr(answers, "_known", OrderedDict())
    disputed.behind(world)
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    conflict = Conflict.objects.waiting().get()
    assert str(conflict) == "core wants crm 2.4.0 or newer; the search for a way was given up at its bound"
    assert (conflict.sets, conflict.explanation["proved"], conflict.ways_out) == ([], False, [])
    with pytest.raises(SystemExit):
        command_line.list_waiting(Output(print, as_json=False), world.group)
    listed = capsys.readouterr().out
    assert "binding: core/crm wants crm 2.4.0 or newer" in listed
    assert "isn’t proved" in listed
    assert "no other such sets" not in listed
    decide(conflict, CORE)
    assert not Conflict.objects.waiting().exists()
