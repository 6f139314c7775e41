"""What may be supposed beside policies: holds, ends, another day, a past state, releases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from config.access import SYSTEM
from governance import documents, policies, profiles, simulation, snapshots
from governance.documents import ConfigurationError, Source
from governance.models import Exemption, Plugin, Policy, Release, Simulation
from governance.models.snapshot import Trigger
from governance.simulation import Supposition
from tenants.models import Group
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

ALIGN = {
    "name": "align",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}],
}
FREEZE = {
    "name": "freeze",
    "kind": "hold",
    "tenants": {"keys": ["tenant-b"]},
    "plugins": ["crm"],
    "until": "in 9 days",
    "reason": "Books close.",
}


def one_behind(world: World) -> World:
    """tenant-b is a version behind, which nothing says yet."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return world


SCENE = Kind(one_behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


@pytest.fixture
def aligned(acme: World) -> World:
    """A policy in force wants tenant-b a version up."""
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    return acme


def suppose(world: World, **what: Any) -> Simulation:
    document = {"title": "x", **what}
    given = simulation.read(world.group, Source("request", document), at=AT)
    return simulation.simulate_what(world.group, given, at=AT, actor=SYSTEM)


def wrong(world: World, **what: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as refused:
        suppose(world, **what)
    return {problem.place: problem.reason for problem in refused.value.problems}


def test_a_hold_is_supposed_in_its_own_section_or_by_its_kind(aligned: World) -> None:
    hold = {name: value for name, value in FREEZE.items() if name != "kind"}
    first, second = suppose(aligned, holds=[hold]), suppose(aligned, policies=[FREEZE])
    assert first.outcome == second.outcome
    assert first.outcome["difference"]["conflicts_new"] == 1
    assert first.outcome["actions"] == []


def test_the_end_of_a_hold_solves_its_conflict_and_lets_the_change_be_made(aligned: World) -> None:
    policies.apply(aligned.group, FREEZE, actor=SYSTEM, at=AT)
    outcome = suppose(aligned, retired=["freeze"]).outcome
    assert [one["tenants"] for one in outcome["solved"]] == [["tenant-b"]]
    assert outcome["conflicts"] == []
    assert outcome["difference"]["conflicts_solved"] == 1
    assert outcome["difference"]["cost"] == 1
    assert [one["to"] for one in outcome["actions"]] == ["2.4.0"]


@pytest.mark.parametrize("by", ["name", "id"])
def test_the_end_of_an_exemption_makes_drift_of_what_it_covered(aligned: World, by: str) -> None:
    policy = Policy.objects.get(name="align")
    granted = factories.exemption(aligned.tenant_b, policy, until=AT + timedelta(days=9), name="late")
    outcome = suppose(aligned, ended=[granted.name if by == "name" else str(granted.pk)]).outcome
    assert (outcome["before"]["accepted"], outcome["after"]["drift"]) == (1, 1)
    assert Exemption.objects.get().status == "approved"


def test_an_exemption_stands_in_for_that_of_its_name(aligned: World) -> None:
    policy = Policy.objects.get(name="align")
    factories.exemption(aligned.tenant_b, policy, until=AT + timedelta(days=9), name="late")
    one = {"name": "late", "tenant": "tenant-a", "policy": "align", "reason": "r", "until": "in 2 days"}
    assert suppose(aligned, exemptions=[one]).outcome["difference"]["opened"] == 1


def test_on_another_day_what_expires_until_then_has_expired(aligned: World) -> None:
    policy = Policy.objects.get(name="align")
    factories.exemption(aligned.tenant_b, policy, until=AT + timedelta(days=9))
    soon, later = suppose(aligned, at="in 8d").outcome, suppose(aligned, at="in 10d").outcome
    assert (soon["before"]["drift"], soon["after"]["drift"]) == (0, 0)
    assert (later["before"]["drift"], later["after"]["drift"]) == (0, 1)
    # A supposed exemption begins now and has expired by then as well.
    one = {"tenant": "tenant-b", "policy": "align", "reason": "r", "until": "in 20 days"}
    assert suppose(aligned, at="in 10d", exemptions=[one]).outcome["after"]["drift"] == 0
    assert suppose(aligned, at="in 30d", exemptions=[one]).outcome["after"]["drift"] == 1


def test_on_another_day_a_grace_period_that_begins_now_is_over(acme: World) -> None:
    patient = {**ALIGN, "effective_from": "in 1h", "grace_period": "14d"}
    within = suppose(acme, policies=[patient], at="in 13d").outcome
    assert (within["actions"], [one["tenants"] for one in within["advised"]]) == ([], [["tenant-b"]])
    assert len(suppose(acme, policies=[patient], at="in 15d").outcome["actions"]) == 1


def test_a_past_snapshot_is_asked_under_the_rules_of_now(aligned: World) -> None:
    snapshots.seal(aligned.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    aligned.tenant_b.refresh_from_db()
    factories.install(aligned.tenant_b, {"crm": "2.4.0"})
    now, then = suppose(aligned, at="in 1h"), suppose(aligned, snapshot=1)
    assert (now.outcome["before"]["drift"], then.outcome["before"]["drift"]) == (0, 1)
    assert "| then | in force |" in simulation.markdown(then)
    assert then.outcome["done"] is None
    stricter = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "exactly": "2.3.0"}]}
    assert suppose(aligned, snapshot=1, policies=[stricter]).outcome["after"]["drift"] == 1
    assert then.snapshot_number == 1


def test_a_past_snapshot_knows_the_tenants_of_its_time_only(aligned: World) -> None:
    snapshots.seal(aligned.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    aligned.group.refresh_from_db()
    factories.install(factories.tenant(aligned.group, "tenant-c"), {"crm": "2.3.0"})
    there = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "present": True}]}
    outcome = suppose(aligned, snapshot=1, policies=[there]).outcome
    assert (outcome["after"]["tenants"], outcome["after"]["drift"]) == (2, 0)


def test_a_version_that_all_shall_have_is_chosen_by_who_had_what_in_the_snapshot(acme: World) -> None:
    group = acme.group
    hold = {**FREEZE, "tenants": {"keys": ["tenant-a"]}}
    policies.apply(group, hold, actor=SYSTEM, at=AT)
    factories.install(acme.tenant_a, {"crm": "2.3.0"})
    snapshots.seal(group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    acme.tenant_a.refresh_from_db()
    factories.install(acme.tenant_a, {"crm": "2.4.0"})
    one = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "same": True}]}
    now, then = suppose(acme, policies=[one]), suppose(acme, policies=[one], snapshot=1)
    assert [row["tenant"] for row in now.outcome["difference"]["findings"]] == ["tenant-b"]
    assert then.outcome["difference"]["findings"] == []


def test_a_supposed_release_is_a_target_and_is_gone_afterwards(aligned: World) -> None:
    newest = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.5.0"}]}
    before = list(Release.objects.order_by("pk").values_list())
    release = {"plugin": "crm", "version": "2.5.0"}
    without = suppose(aligned, policies=[newest]).outcome
    outcome = suppose(aligned, policies=[newest], releases=[release]).outcome
    assert [one["tenants"] for one in without["conflicts"]] == [["tenant-a", "tenant-b"]]
    assert outcome["difference"]["conflicts_new"] == 0
    assert {(one["to"], *one["tenants"]) for one in outcome["actions"]} == {
        ("2.5.0", "tenant-a"),
        ("2.5.0", "tenant-b"),
    }
    assert list(Release.objects.order_by("pk").values_list()) == before


def test_a_supposed_release_asks_what_it_requires(aligned: World) -> None:
    newest = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.5.0"}]}
    release = {"plugin": "crm", "version": "2.5.0", "requires": [{"plugin": "base", "range": ">=1"}]}
    base = {"plugin": "base", "version": "1.0.0", "scheme": "semver"}
    alone = suppose(aligned, policies=[newest], releases=[release]).outcome
    both = suppose(aligned, policies=[newest], releases=[release, base]).outcome
    assert alone["difference"]["conflicts_new"] == 1
    assert {one["plugin"] for one in both["actions"]} == {"crm", "base"}
    assert not Plugin.objects.filter(name="base").exists()


def test_a_supposed_release_that_is_not_out_yet_is_out_on_another_day(aligned: World) -> None:
    newest = {**ALIGN, "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.5.0"}]}
    release = {"plugin": "crm", "version": "2.5.0", "released_at": (AT + timedelta(days=5)).isoformat()}
    asked = {"policies": [newest], "releases": [release]}
    assert suppose(aligned, **asked).outcome["actions"] == []
    assert suppose(aligned, **asked, at="in 6d").outcome["actions"] != []


def test_a_release_supposed_to_be_withdrawn_is_denied_and_no_target(acme: World) -> None:
    profiles.save(
        acme.group, {"name": "steady", "mode": "enforce", "deny": ["withdrawn"]}, actor=SYSTEM, at=AT
    )
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    outcome = suppose(acme, withdrawn=[{"plugin": "crm", "version": "2.4.0"}]).outcome
    assert [row["tenant"] for row in outcome["difference"]["findings"]] == ["tenant-a"]
    assert outcome["difference"]["conflicts_new"] > 0
    assert not Release.objects.filter(withdrawn=True).exists()


def test_nothing_that_is_supposed_of_the_catalogue_is_written_down(aligned: World) -> None:
    from audit.models import Entry

    told = Entry.objects.order_by("pk").values_list("action", flat=True)
    before = list(told)
    suppose(aligned, releases=[{"plugin": "crm", "version": "2.5.0"}])
    assert list(told.all()) == [*before, "simulation.run"]


@pytest.mark.parametrize(
    ("what", "place", "told"),
    [
        ({"polices": []}, "polices", "did you mean “policies”?"),
        ({"retired": ["aling"]}, "retired[0]", "did you mean “align”?"),
        ({"ended": ["none"]}, "ended[0]", "no exemption in force"),
        ({"snapshot": 7}, "snapshot", "there is no snapshot 7"),
        ({"at": "2020-01-01"}, "at", "lies in the past"),
        ({"at": "soon"}, "at", "isn't of the form"),
        ({"withdrawn": [{"plugin": "crm", "version": "9"}]}, "withdrawn[0]", "no release 9 of crm"),
        ({"releases": [{"plugin": "crm", "version": "no version"}]}, "releases[0].version", "no version"),
        ({"releases": [{"plugin": "crm"}]}, "releases[0]", "“version” is missing"),
        (
            {"releases": [{"plugin": "crm", "version": "2.5.0", "requires": [{"range": ">1"}]}]},
            "releases[0].requires[0].plugin",
            "must be a text",
        ),
        ({"policies": [{**ALIGN, "tenents": "*"}]}, "policies[0].tenents", "did you mean “tenants”?"),
        ({"policies": [{**ALIGN, "kind": "wish"}]}, "policies[0].kind", "isn't one of"),
        ({"policies": [ALIGN, ALIGN]}, "policies[1].name", "stands here twice"),
        ({"policies": [ALIGN], "retired": ["align"]}, "retired[0]", "in force and retired"),
        ({"policies": [{**ALIGN, "profile": "none"}]}, "policies[0].profile", "there is no profile"),
        ({"holds": [{"name": "h", "plugins": ["crm"]}]}, "holds[0]", "is missing"),
        (
            {"exemptions": [{"tenant": "tenant-z", "policy": "align", "reason": "r", "until": "in 2d"}]},
            "exemptions[0].tenant",
            "there is no tenant",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    aligned: World, what: dict[str, Any], place: str, told: str
) -> None:
    problems = wrong(aligned, **what)
    assert place in problems, problems
    assert told in problems[place]
    assert not Simulation.objects.exists()


def test_a_text_is_refused_by_its_line(aligned: World) -> None:
    text = "policies:\n  - name: align\n    profile: steady\n    tenents: '*'\nwithdrawn:\n  - plugin: crm\n"
    with pytest.raises(ConfigurationError) as refused:
        simulation.read(aligned.group, documents.parse(text, file="x.yaml"), at=AT)
    told = [(problem.line, problem.place) for problem in refused.value.problems]
    assert (4, "policies[0].tenents") in told
    assert (6, "withdrawn[0]") in told


def test_a_range_that_the_dialect_can_not_read_is_refused_when_it_is_worked_out(aligned: World) -> None:
    release = {"plugin": "crm", "version": "2.5.0", "requires": [{"plugin": "crm", "range": "no range"}]}
    with pytest.raises(ConfigurationError, match="no range"):
        suppose(aligned, releases=[release])
    assert not Simulation.objects.exists()


def test_what_is_supposed_is_kept_as_it_can_be_asked_again(aligned: World) -> None:
    kept = suppose(aligned, policies=[FREEZE], retired=["align"], at="in 2d")
    again = simulation.of_document(kept.supposed)
    assert isinstance(again, Supposition)
    assert again.as_document() == kept.supposed
    assert kept.supposed.keys() == {"policies", "retired", "at"}
    assert simulation.simulate_what(aligned.group, again, at=AT, actor=SYSTEM).outcome == kept.outcome


def test_another_group_of_the_same_names_is_left_alone(aligned: World) -> None:
    elsewhere = Group.objects.get(slug="elsewhere")
    with pytest.raises(ConfigurationError, match="no policy in force"):
        simulation.simulate(elsewhere, retired=["align"], at=AT, actor=SYSTEM)
