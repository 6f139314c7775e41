"""Simulations of another time: what time brings, told apart from how things stand now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import policies, profiles, simulation, snapshots
from governance.documents import Source
from governance.models import Plugin, Policy, Release, Simulation
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World

ALIGN = {
    "name": "align",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}],
}


@pytest.fixture
def aligned(world: World) -> World:
    """A policy in force wants tenant-b a version up."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    policies.apply(world.group, ALIGN, actor=SYSTEM, at=AT)
    return world


def suppose(world: World, **what: Any) -> Simulation:
    given = simulation.read(world.group, Source("request", what), at=AT)
    return simulation.simulate_what(world.group, given, at=AT, actor=SYSTEM)


def test_what_time_alone_brings_is_a_difference_from_now(aligned: World) -> None:
    policy = Policy.objects.get(name="align")
    factories.exemption(aligned.tenant_b, policy, until=AT + timedelta(days=9))
    later = suppose(aligned, at="in 10d")
    assert [(one["kind"], one["tenant"]) for one in later.outcome["difference"]["findings"]] == [
        ("opened", "tenant-b")
    ]
    assert [one["tenants"] for one in later.outcome["actions"]] == [["tenant-b"]]
    assert (later.outcome["difference"]["changed"], simulation.is_worse(later.outcome)) == (True, True)
    assert "2 of 2 tenants are in line now, 1 would be on 2026-03-12." in simulation.verdict(later)
    assert "now | in force on 2026-03-12 |" in simulation.markdown(later)
    assert suppose(aligned, at="in 8d").outcome["difference"]["changed"] is False


def test_a_release_that_comes_out_by_then_changes_what_is_decided(aligned: World) -> None:
    newest = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.5.0"}]}
    Release.objects.create(
        group=aligned.group,
        plugin=Plugin.objects.get(name="crm"),
        version="2.5.0",
        rank=3,
        released_at=AT + timedelta(days=5),
    )
    policies.apply(aligned.group, newest, actor=SYSTEM, at=AT)
    outcome = suppose(aligned, at="in 6d").outcome
    assert (outcome["difference"]["opened"], outcome["difference"]["conflicts_solved"]) == (0, 1)
    assert {one["to"] for one in outcome["actions"]} == {"2.5.0"}


def test_a_pipeline_can_fail_on_what_time_brings(aligned: World, run_policy: Any) -> None:
    exempt = Policy.objects.get(name="align")
    factories.exemption(aligned.tenant_b, exempt, until=AT + timedelta(days=9))
    assert run_policy("simulate", "--at", "2026-03-12", "--fail-on", "worse").code == 3
    assert run_policy("simulate", "--at", "2026-03-10", "--fail-on", "worse").code == 0


def test_the_page_of_another_time_tells_it_from_now(aligned: World, client: Client) -> None:
    kept = suppose(aligned, at="in 10d")
    client.force_login(aligned.viewer)
    page = client.get(f"/g/acme/simulations/{kept.pk}/").content.decode()
    assert (
        '<th scope="col" class="num">Now</th><th scope="col" class="num">In force on 2026-03-12</th>' in page
    )


def test_the_page_of_a_past_snapshot_says_that_the_rules_are_those_of_now(
    aligned: World, client: Client
) -> None:
    snapshots.seal(aligned.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    kept = suppose(aligned, snapshot=1)
    client.force_login(aligned.viewer)
    page = client.get(f"/g/acme/simulations/{kept.pk}/").content.decode()
    assert '<th scope="col" class="num">Then</th><th scope="col" class="num">In force</th>' in page
    assert "judged by the policies, exemptions, labels and catalogue of now" in page
    assert "are in line now" not in simulation.verdict(suppose(aligned, snapshot=1, retired=["align"]))
