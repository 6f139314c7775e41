"""A simulation applied: what was supposed comes into force and becomes a plan, unless the world moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM, Actor, ActorKind
from config.lifecycle import TransitionError
from governance import catalogue, conflicts, flags, manifests, policies, profiles, simulation, snapshots
from governance.documents import Source
from governance.manifests import ManifestDocument
from governance.models import Conflict, Exemption, Finding, Plan, Policy, Profile, Release, Simulation
from governance.models.snapshot import Trigger
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout
from tests.ground import Kind

ALIGN = {
    "name": "align",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}],
}
LATER = AT + timedelta(minutes=5)
PERSON = Actor(ActorKind.PERSON, 4711, "ada")


def one_behind(world: World) -> World:
    """tenant-b is a version behind, which nothing says yet."""
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    rollout.report(world, "tenant-a", "2.4.0", AT - timedelta(days=1))
    rollout.report(world, "tenant-b", "2.3.0", AT - timedelta(days=1))
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    return world


SCENE = Kind(one_behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


def suppose(world: World, *, actor: Actor = SYSTEM, asked_at: datetime = AT, **what: Any) -> Simulation:
    given = simulation.read(world.group, Source("request", what), at=asked_at)
    return simulation.simulate_what(world.group, given, at=asked_at, actor=actor)


def apply(kept: Simulation, *, actor: Actor = SYSTEM) -> Plan | None:
    return simulation.apply(kept, actor=actor, at=LATER)


def test_it_puts_the_texts_in_force_and_drafts_what_was_foretold(acme: World) -> None:
    kept = suppose(acme, policies=[ALIGN])
    plan = apply(kept)
    assert plan is not None
    (task,) = plan.tasks.all()
    assert [(step["plugin"], step["to"]) for step in task.steps] == [("crm", "2.4.0")]
    assert [(one["to"], one["tenants"]) for one in kept.outcome["actions"]] == [("2.4.0", ["tenant-b"])]
    policy = Policy.objects.get()
    assert (policy.status, policy.current and policy.current.comment) == ("active", "Simulation 1 applied")
    kept.refresh_from_db()
    assert (kept.status, kept.plan, kept.applied_at) == ("applied", plan, LATER)
    plan.refresh_from_db()
    assert (plan.status, plan.simulation, plan.simulation_digest) == ("simulated", kept, kept.inputs_digest)
    assert set(Entry.objects.filter(at=LATER).values_list("action", flat=True)) == {
        "policy.applied",
        "findings.changed",
        "plan.drafted",
        "plan.simulated",
        "simulation.applied",
    }


def test_the_ledger_says_that_it_was_applied_and_what_plan_that_made(acme: World) -> None:
    kept = suppose(acme, policies=[ALIGN])
    plan = simulation.apply(kept, actor=PERSON, at=LATER, comment="As agreed on Monday")
    assert plan is not None
    entry = Entry.objects.get(action="simulation.applied")
    assert (entry.subject_id, entry.actor_name) == (str(kept.pk), "ada")
    assert entry.data == {
        "number": 1,
        "inputs_digest": kept.inputs_digest,
        "plan": plan.number,
        "comment": "As agreed on Monday",
    }
    current = Policy.objects.get().current
    assert current is not None
    assert current.comment == "Simulation 1 applied: As agreed on Monday"


def test_a_comment_as_long_as_can_be_does_not_keep_it_from_being_applied(acme: World) -> None:
    kept = suppose(acme, policies=[ALIGN], retired=[])
    simulation.apply(kept, actor=SYSTEM, at=LATER, comment="x" * 500)
    assert Entry.objects.get(action="simulation.applied").data["comment"] == "x" * 500


def test_profiles_exemptions_ends_and_retirements_come_into_force_together(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    policies.apply(acme.group, {**ALIGN, "name": "old"}, actor=SYSTEM, at=AT)
    factories.exemption(
        acme.tenant_a, Policy.objects.get(name="align"), until=AT + timedelta(days=9), name="late"
    )
    kept = suppose(
        acme,
        profiles=[{"name": "mild", "mode": "observe"}],
        policies=[{**ALIGN, "profile": "mild"}],
        exemptions=[{"tenant": "tenant-b", "policy": "align", "reason": "r", "until": "in 9 days"}],
        ended=["late"],
        retired=["old"],
        sla={"medium": 12},
    )
    assert apply(kept) is None
    assert Profile.objects.get(name="mild").mode == "observe"
    assert dict(Policy.objects.values_list("name", "status")) == {"align": "active", "old": "retired"}
    assert dict(Exemption.objects.values_list("name", "status")) == {
        "late": "revoked",
        "supposed-1": "approved",
    }
    assert {finding.status for finding in Finding.objects.open()} == {"accepted"}


def test_a_retirement_alone_is_settled_too(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    apply(suppose(acme, retired=["align"]))
    assert not Finding.objects.open().exists()


def test_an_exemption_without_a_name_stands_in_for_no_earlier_one(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    one = {"tenant": "tenant-b", "policy": "align", "reason": "r", "until": "in 9 days"}
    apply(suppose(acme, exemptions=[one]))
    second = suppose(acme, asked_at=LATER, exemptions=[{**one, "tenant": "tenant-a"}])
    assert second.outcome["after"]["accepted"] == 1  # tenant-b's still covers it
    apply(second)
    assert dict(Exemption.objects.values_list("name", "status")) == {
        "supposed-1": "approved",
        "supposed-2": "approved",
    }


def move_manifest(world: World) -> None:
    document = ManifestDocument("tenant-a", "10.0.0", {"crm": "2.3.0"}, observed_at=AT)
    manifests.ingest(world.group, [document], actor=SYSTEM, at=AT)


def move_labels(world: World) -> None:
    Tenant.objects.filter(pk=world.tenant_a.pk).update(labels={"ring": "pilot"})


def move_policy(world: World) -> None:
    policies.pause(Policy.objects.get(name="base"), actor=SYSTEM, at=AT)


def move_profile(world: World) -> None:
    profiles.save(world.group, {"name": "steady", "mode": "observe"}, actor=SYSTEM, at=AT)


def move_exemption(world: World) -> None:
    factories.exemption(world.tenant_a, Policy.objects.get(name="base"), until=AT + timedelta(days=9))


def move_catalogue(world: World) -> None:
    catalogue.withdraw(Release.objects.get(version="2.4.0"), actor=SYSTEM, at=AT)


def move_requirement(world: World) -> None:
    Release.objects.filter(version="2.4.0").update(requires=[{"plugin": "crm", "range": ""}])


def move_decision(world: World) -> None:
    hold = {"name": "hold", "kind": "hold", "tenants": "*", "plugins": ["crm"], "until": "in 9 days"}
    policies.apply(world.group, {**hold, "reason": "r"}, actor=SYSTEM, at=AT)
    one = Conflict.objects.get()
    set_aside = [{"policy": "hold", "key": "hold"}]
    conflicts.decide(one, set_aside=set_aside, reason="r", actor=PERSON, at=AT)
    policies.retire(Policy.objects.get(name="hold"), actor=SYSTEM, at=AT)


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (move_manifest, "what the tenants run"),
        (move_labels, "the tenants, their tiers or labels"),
        (move_policy, "the policies in force"),
        (move_profile, "the profiles"),
        (move_exemption, "the exemptions"),
        (move_catalogue, "the catalogue"),
        (move_requirement, "the catalogue"),
        (move_decision, "the decisions on conflicts"),
    ],
)
def test_it_is_refused_once_the_world_has_moved(
    acme: World, move: Callable[[World], None], told: str
) -> None:
    policies.apply(acme.group, {**ALIGN, "name": "base"}, actor=SYSTEM, at=AT)
    kept = suppose(acme, policies=[ALIGN])
    move(acme)
    before = Entry.objects.count()
    with pytest.raises(simulation.Outdated, match=told):
        apply(kept)
    kept.refresh_from_db()
    assert (kept.status, Entry.objects.count()) == ("ready", before)
    assert not Policy.objects.filter(name="align").exists()
    assert not Plan.objects.exists()


def test_what_is_sealed_meanwhile_without_a_change_does_not_move_the_world(acme: World) -> None:
    move_manifest(acme)
    kept = suppose(acme, policies=[ALIGN])
    snapshots.seal(acme.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    assert apply(kept) is not None


def test_time_alone_outdates_it(acme: World) -> None:
    policies.apply(acme.group, {**ALIGN, "name": "base", "effective_until": "in 2h"}, actor=SYSTEM, at=AT)
    kept = suppose(acme, policies=[ALIGN])
    assert kept.holds_until == AT + timedelta(hours=2)
    with pytest.raises(simulation.Outdated, match="the time"):
        simulation.apply(kept, actor=SYSTEM, at=AT + timedelta(hours=2))


def test_it_is_applied_once(acme: World) -> None:
    kept = suppose(acme, policies=[ALIGN])
    apply(kept)
    with pytest.raises(TransitionError, match=r"^Simulation 1 is applied already\.$"):
        apply(Simulation.objects.get())
    stale = Simulation.objects.get()
    stale.status = "ready"  # as someone has it who looked before
    with pytest.raises(TransitionError):
        apply(stale)
    assert Plan.objects.count() == 1


def test_what_is_not_worked_out_yet_is_not_applied(acme: World) -> None:
    what = simulation.Supposition(policies=[ALIGN])
    asked = simulation.request(acme.group, what, at=AT, actor=SYSTEM)
    with pytest.raises(TransitionError):
        apply(asked)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"at": "in 9d"}, "in 9d"),
        ({"snapshot": 1}, "the state of snapshot 1"),
        ({"releases": [{"plugin": "crm", "version": "2.5.0"}]}, "crm 2.5.0 in the catalogue"),
        ({"withdrawn": [{"plugin": "crm", "version": "2.3.0"}]}, "crm 2.3.0 withdrawn"),
    ],
)
def test_what_nobody_can_put_in_force_is_said_and_refused(
    acme: World, what: dict[str, Any], told: str
) -> None:
    kept = suppose(acme, policies=[ALIGN], **what)
    with pytest.raises(simulation.NotApplicable, match=told):
        apply(kept)
    assert not Policy.objects.exists()


def test_who_asked_does_not_grant_the_exemption_in_it(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    one = {"tenant": "tenant-b", "policy": "align", "reason": "r", "until": "in 9 days"}
    kept = suppose(acme, actor=PERSON, exemptions=[one])
    with pytest.raises(simulation.NeedsAnother):
        apply(kept, actor=PERSON)
    assert not Exemption.objects.exists()
    apply(kept, actor=Actor(ActorKind.PERSON, 4712, "grace"))
    assert Exemption.objects.get().status == "approved"


def test_while_governance_is_off_nothing_is_applied(acme: World) -> None:
    kept = suppose(acme, policies=[ALIGN])
    flags.switch(acme.group, flags.GOVERNANCE, on=False, actor=SYSTEM, at=AT)
    with pytest.raises(flags.FlagOff):
        apply(kept)
    assert not Policy.objects.exists()
