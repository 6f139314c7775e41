"""What a simulation says comes of it: before, after, carried out, and the difference."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest

from config.access import SYSTEM
from governance import policies, profiles, simulation
from governance.models import Installation, Plugin, Release, Simulation
from governance.simulation import weighing
from tests import factories
from tests.factories import AT, World
from tests.governance.aligning import requires
from tests.ground import Kind

CRM = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
ERP = {"name": "erp", "plugins": ["erp"], "at_least": "1.1.0"}


def behind(world: World) -> World:
    """Both tenants are behind in everything; one profile enforces, the other only reminds."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "erp", ["1.0.0", "1.1.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0", "erp": "1.0.0"})
    for name, mode in (("acts", "enforce"), ("asks", "remind")):
        profiles.save(world.group, {"name": name, "mode": mode}, actor=SYSTEM, at=AT)
    return world


SCENE = Kind(behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


def policy(name: str, rule: dict[str, Any], profile: str = "acts", tenants: Any = "*") -> dict[str, Any]:
    return {"name": name, "profile": profile, "tenants": tenants, "rules": [rule]}


def simulate(world: World, *documents: dict[str, Any], **more: Any) -> Simulation:
    return simulation.simulate(world.group, policies=documents, at=AT, actor=SYSTEM, **more)


def test_compliance_is_told_by_tenants_and_by_installations(acme: World) -> None:
    only_a = {"keys": ["tenant-a"]}
    after = simulate(acme, policy("core", CRM, tenants=only_a)).outcome["after"]
    assert (after["compliant_tenants"], after["compliance_rate"]) == (1, 0.5)
    assert (after["installations"], after["drifting_installations"], after["installation_rate"]) == (
        4,
        1,
        0.75,
    )


def test_what_enforces_is_carried_out_and_what_reminds_is_not(acme: World) -> None:
    outcome = simulate(acme, policy("core", CRM), policy("soft", ERP, "asks")).outcome
    assert (outcome["after"]["drift"], outcome["done"]["drift"]) == (4, 2)
    assert outcome["done"]["by_policy"] == {"soft": 2}
    assert [(one["plugin"], one["tenants"]) for one in outcome["actions"]] == [
        ("crm", ["tenant-a", "tenant-b"])
    ]
    assert [(one["plugin"], one["tenants"]) for one in outcome["advised"]] == [
        ("erp", ["tenant-a", "tenant-b"])
    ]
    assert (outcome["after"]["changes"], outcome["after"]["actions"]) == (4, 2)
    assert not Installation.objects.filter(release__version="2.4.0").exists()


def test_carried_out_may_move_the_version_wanted_of_all_also_for_tenants_that_do_not_change(
    acme: World,
) -> None:
    """Once base is lowered in tenant-a and tenant-b, they no longer reach the crm that tenant-c has."""
    factories.plugin(acme.group, "base", ["1.0.0", "2.0.0"])
    Release.objects.filter(version="2.4.0").update(requires=[{"plugin": "base", "range": ">=2.0.0"}])
    for tenant in (acme.tenant_a, acme.tenant_b):
        factories.install(tenant, {"crm": "2.3.0", "base": "2.0.0"})
    factories.install(factories.tenant(acme.group, "tenant-c"), {"crm": "2.4.0", "base": "2.0.0"})
    same = {"name": "crm", "plugins": ["crm"], "same": True}
    lower = {"name": "base", "plugins": ["base"], "at_most": "1.0.0"}
    both = {"keys": ["tenant-a", "tenant-b"]}
    outcome = simulate(acme, policy("core", same, "asks"), policy("limit", lower, tenants=both)).outcome
    assert [(one["plugin"], one["tenants"]) for one in outcome["actions"]] == [
        ("base", ["tenant-a", "tenant-b"])
    ]
    assert outcome["after"]["by_policy"] == {"core": 2, "limit": 2}
    # What it is to be the same as moved from 2.4.0 to 2.3.0, so that tenant-c alone is off it.
    assert outcome["done"]["by_policy"] == {"core": 1}
    assert (outcome["done"]["drift"], outcome["done"]["compliant_tenants"]) == (1, 2)


def test_the_difference_is_counted_by_policy_plugin_and_tenant(acme: World) -> None:
    policies.apply(acme.group, policy("old", ERP), actor=SYSTEM, at=AT)
    difference = simulate(acme, policy("core", CRM), retired=["old"]).outcome["difference"]
    assert difference["by_policy"] == {
        "core": {"opened": 2, "closed": 0},
        "old": {"opened": 0, "closed": 2},
    }
    assert difference["by_plugin"] == {"crm": {"opened": 2, "closed": 0}, "erp": {"opened": 0, "closed": 2}}
    assert difference["by_tenant"] == {
        "tenant-a": {"opened": 1, "closed": 1},
        "tenant-b": {"opened": 1, "closed": 1},
    }
    assert (difference["tenants"], difference["plugins"], difference["cost"]) == (2, 2, 0)


def test_only_the_tenants_that_something_binds_otherwise_are_decided_about(acme: World) -> None:
    policies.apply(acme.group, policy("old", ERP), actor=SYSTEM, at=AT)
    outcome = simulate(acme, policy("core", CRM, tenants={"keys": ["tenant-a"]})).outcome
    assert outcome["difference"]["judged_tenants"] == 1
    assert outcome["before"]["drift"] == 2
    assert (outcome["before"]["changes"], outcome["after"]["changes"]) == (1, 2)


def test_a_variant_that_ends_concerns_its_own_tenants_alone(acme: World) -> None:
    lenient = {"name": "b", "tenants": {"keys": ["tenant-b"]}, "at_least": "2.3.0"}
    policies.apply(acme.group, policy("core", {**CRM, "variants": [lenient]}), actor=SYSTEM, at=AT)
    outcome = simulate(acme, policy("core", CRM)).outcome
    assert outcome["difference"]["judged_tenants"] == 1
    assert [one["tenants"] for one in outcome["actions"]] == [["tenant-b"]]


def test_the_same_text_again_concerns_nobody(acme: World) -> None:
    policies.apply(acme.group, policy("old", ERP), actor=SYSTEM, at=AT)
    difference = simulate(acme, {**policy("old", ERP), "title": "Said anew"}).outcome["difference"]
    assert (difference["judged_tenants"], difference["changed"]) == (0, False)


def test_a_change_of_mode_alone_makes_a_difference(acme: World) -> None:
    policies.apply(acme.group, policy("core", CRM, "asks"), actor=SYSTEM, at=AT)
    outcome = simulate(acme, policy("core", CRM)).outcome
    assert (outcome["difference"]["opened"], outcome["difference"]["changed"]) == (0, True)
    assert (outcome["before"]["actions"], outcome["after"]["actions"]) == (0, 2)


def test_more_findings_than_are_shown_are_all_in_the_file(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "EXAMPLES", 1)
    kept = simulate(acme, policy("core", CRM))
    assert len(kept.outcome["difference"]["findings"]) == 1
    assert kept.outcome["difference"]["findings_left_out"] == 1
    file = simulation.export(kept, "findings")
    rows = list(csv.DictReader(io.StringIO(file.content.decode())))
    assert [(row["kind"], row["tenant"], row["version"], row["policy"], row["rule"]) for row in rows] == [
        ("opened", "tenant-a", "2.3.0", "core", "crm"),
        ("opened", "tenant-b", "2.3.0", "core", "crm"),
    ]
    assert file.name == "simulation-1-findings.csv"


def test_no_cell_of_a_file_is_a_formula(acme: World) -> None:
    evil = factories.tenant(acme.group, "=cmd|x")
    factories.install(evil, {"crm": "2.3.0"})
    kept = simulate(acme, policy("core", CRM))
    findings = simulation.export(kept, "findings").content.decode()
    actions = simulation.export(kept, "actions").content.decode()
    assert "opened,'=cmd|x,crm" in findings
    assert "policy,'=cmd|x,crm" in actions


def test_every_change_of_every_tenant_is_in_the_file_of_actions(acme: World) -> None:
    kept = simulate(acme, policy("core", CRM), policy("soft", ERP, "asks"))
    rows = list(csv.DictReader(io.StringIO(simulation.export(kept, "actions").content.decode())))
    assert [(row["by"], row["tenant"], row["plugin"], row["from"], row["to"]) for row in rows] == [
        ("policy", "tenant-a", "crm", "2.3.0", "2.4.0"),
        ("policy", "tenant-b", "crm", "2.3.0", "2.4.0"),
        ("tenant", "tenant-a", "erp", "1.0.0", "1.1.0"),
        ("tenant", "tenant-b", "erp", "1.0.0", "1.1.0"),
    ]


def test_the_json_file_is_the_whole_answer(acme: World) -> None:
    kept = simulate(acme, policy("core", CRM), title="Stricter")
    told = json.loads(simulation.export(kept, "json").content)
    assert told["inputs_digest"] == kept.inputs_digest
    assert told["after"] == kept.outcome["after"]
    assert told["supposed"]["policies"][0]["name"] == "core"


def test_equal_questions_have_equal_files(acme: World) -> None:
    first, second = simulate(acme, policy("core", CRM)), simulate(acme, policy("core", CRM))
    assert first.findings == second.findings
    assert gzip.decompress(bytes(first.findings or b"")).count(b"\n") == 3


@pytest.mark.parametrize(
    ("after", "worse"),
    [
        ({"drifting_tenants": 1, "drifting_installations": 1}, False),
        ({"drifting_tenants": 2, "drifting_installations": 1}, True),
        ({"drifting_tenants": 1, "drifting_installations": 2}, True),
        ({"drifting_tenants": 0, "drifting_installations": 0}, False),
    ],
)
def test_fewer_in_line_is_worse(after: dict[str, int], worse: bool) -> None:
    before = {"drifting_tenants": 1, "drifting_installations": 1}
    assert simulation.is_worse({"before": before, "after": after}) is worse


def test_a_policy_may_forbid_a_plugin_that_nobody_knew_of(acme: World) -> None:
    """It is known as long as the supposition lasts, and what is known of the catalogue is made anew."""
    forbidden = policy("core", {"name": "none", "plugins": ["unheard-of"], "absent": True})
    kept = simulate(acme, forbidden, policy("lines", ERP))
    assert {entry["plugin"] for entry in kept.outcome["actions"]} == {"erp"}
    assert kept.outcome["difference"]["opened"] == 2
    assert not Plugin.objects.filter(group=acme.group, name="unheard-of").exists()


@pytest.mark.parametrize(("kind", "plugin", "installations"), [("present", "extra", 6), ("absent", "crm", 2)])
def test_what_is_carried_out_is_measured_by_what_is_there_then(
    acme: World, kind: str, plugin: str, installations: int
) -> None:
    factories.plugin(acme.group, "extra", ["1.0.0"])
    kept = simulate(acme, policy("core", {"name": "one", "plugins": [plugin], kind: True}))
    assert kept.outcome["after"]["installations"] == 4
    assert kept.outcome["done"]["installations"] == installations
    assert kept.outcome["done"]["installation_rate"] == 1.0


def test_a_conflict_is_the_same_though_a_policy_names_what_it_wants_for_the_first_time(acme: World) -> None:
    requires(Plugin.objects.get(name="crm"), "2.4.0", {"plugin": "unheard-of"})
    wanted = policy("lines", CRM, tenants={"keys": ["tenant-a"]})
    forbidden = policy("core", {"name": "none", "plugins": ["unheard-of"], "absent": True})
    [alone] = simulate(acme, wanted).outcome["conflicts"]
    [beside] = simulate(acme, wanted, forbidden).outcome["conflicts"]
    assert alone["fingerprint"] == beside["fingerprint"]
