"""Recorded decisions in a simulation: which would apply, and which no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM, Actor, ActorKind
from governance import conflicts, policies, simulation
from governance.cli import simulations
from governance.cli.output import Output
from governance.models import Policy, Simulation
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed

LATER = AT + timedelta(hours=1)
APPLIES = "A recorded decision would apply"
ENDS = "A recorded decision would no longer apply"


@pytest.fixture
def decided(world: World) -> World:
    """tenant-b is held back from what another policy wants, and the owner has set the hold aside."""
    conflict = disputed.dispute(world)
    owner = Actor(ActorKind.PERSON, world.owner.pk, "owner")
    aside = [{"policy": "freeze", "key": "hold"}]
    conflicts.decide(conflict, set_aside=aside, reason="Books are closed.", actor=owner, at=AT)
    return world


def simulate(world: World, **what: Any) -> Simulation:
    return simulation.simulate(world.group, at=LATER, actor=SYSTEM, **what)


def told(found: Simulation) -> list[tuple[str, list[str]]]:
    return [(said, one["tenants"]) for said, one in simulation.decisions(found)]


def without_hold(world: World) -> Simulation:
    return simulate(world, retired=["freeze"])


def with_it_again(world: World) -> Simulation:
    hold = {**disputed.FREEZE, "tenants": {"keys": ["tenant-b"]}}
    policies.retire(Policy.objects.get(name="freeze"), actor=SYSTEM, at=AT)
    return simulate(world, policies=[hold])


@pytest.mark.parametrize(("ask", "said"), [(without_hold, ENDS), (with_it_again, APPLIES)])
def test_a_decision_that_applies_on_one_side_alone_is_told(
    decided: World, ask: Callable[[World], Simulation], said: str
) -> None:
    found = ask(decided)
    assert told(found) == [(said, ["tenant-b"])]
    ((_, one),) = simulation.decisions(found)
    assert "by owner" in one["said"]
    assert "Books are closed." in one["said"]


def test_where_it_applies_already_is_told_apart_by_tenant(decided: World) -> None:
    factories.install(decided.tenant_a, {"crm": "2.3.0"})
    everywhere = {**disputed.FREEZE, "tenants": "*"}
    found = simulate(decided, policies=[everywhere])
    assert told(found) == [(APPLIES, ["tenant-a"])]


def test_one_that_applies_as_before_is_not_told(decided: World) -> None:
    rules = [
        {"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"},
        {"name": "floor", "plugins": ["crm"], "at_least": "2.2.0"},
    ]
    core = {"name": "core", "kind": "policy", "profile": "align", "tenants": "*", "rules": rules}
    found = simulate(decided, policies=[core])
    assert found.outcome["before"]["actions"] == 1
    assert told(found) == []


def test_page_summary_and_command_line_tell_it(decided: World, client: Client) -> None:
    found = without_hold(decided)
    client.force_login(decided.owner)
    page = client.get(f"/g/acme/simulations/{found.pk}/").content.decode()
    said: list[str] = []
    out = Output(said.append, as_json=False)
    with out.console.capture() as printed:
        simulations.show(out, found)
    for text in (page, simulation.markdown(found), printed.get()):
        assert ENDS in text
        assert "Books are closed." in text.replace("\\", "")
