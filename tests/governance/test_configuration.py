"""Configuration as code: what is wrong with it, what it would change, what it changes, and back again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import configuration
from governance.configuration import Applied, ConfigurationError, Files
from governance.models import Configuration, Exemption, Policy, PolicyVersion, Profile, Rule
from tests import factories
from tests.factories import AT, World

PROFILES = """\
version: 1
profiles:
  - {name: steady, mode: enforce, sla: {high: 5}}
  - {name: watch, mode: observe}
"""
BASELINES = """\
version: 1
groups:
  acme:
    sla: {high: 9, low: 60}
    baselines:
      - name: minimum
        profile: steady
        tenants: "*"
        versions: {host: ">=2.0.0", crm: {at_least: 2.0.0}}
    policies:
      - name: align
        profile: watch
        tenants: {keys: [tenant-a, tenant-b]}
        rules:
          - {name: crm, plugins: [crm], same: true, at: 2.4.0, severity: high}
    holds:
      - {name: freeze, tenants: {keys: [tenant-b]}, plugins: [mail], until: in 9 days, reason: Books close.}
    exemptions:
      - {name: late, tenant: tenant-b, policy: align, rule: crm, reason: Moves later., until: in 9 days}
"""


@pytest.fixture
def acme(world: World) -> World:
    factories.plugin(world.group, "host", ["1.0.0", "2.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "mail", ["1.0.0", "1.1.0"])
    return world


def files(baselines: str = BASELINES, profiles: str = PROFILES) -> Files:
    loaded = configuration.load_text(profiles, file="profiles.yaml") if profiles else Files()
    if not baselines:
        return loaded
    other = configuration.load_text(baselines, file="baselines.yaml")
    return Files(baselines=other.baselines, profiles=loaded.profiles)


def apply(baselines: str = BASELINES, profiles: str = PROFILES, **more: Any) -> Applied:
    return configuration.apply(files(baselines, profiles), actor=SYSTEM, **{"at": AT, **more})


def actions(applied: Applied) -> dict[str, str]:
    return {item.name: item.action for group in applied.groups for item in group.items}


def refusal(baselines: str = BASELINES, profiles: str = PROFILES) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        apply(baselines, profiles)
    assert not Policy.objects.exists()
    return [str(problem) for problem in refused.value.problems]


def test_applying_puts_everything_in_force_with_a_record_of_each(acme: World) -> None:
    applied = apply()
    assert set(actions(applied).values()) == {"add"}
    kinds = {"minimum": "baseline", "align": "policy", "freeze": "hold"}
    assert dict(Policy.objects.filter(status="active").values_list("name", "kind")) == kinds
    assert Rule.objects.in_force(AT).count() == 4
    exemption = Exemption.objects.get()
    assert (exemption.status, exemption.expires_at) == ("approved", AT + timedelta(days=9))
    written = Entry.objects.filter(group_id=acme.group.pk).values_list("action", flat=True)
    for action, count in ((Action.POLICY_APPLIED, 3), (Action.PROFILE_APPLIED, 2)):
        assert list(written).count(action) == count
    assert Action.EXEMPTION_APPROVED in written


def test_the_groups_service_levels_stand_where_a_profile_names_none(acme: World) -> None:
    apply()
    by_policy = {rule.policy.name: rule.sla_days for rule in Rule.objects.select_related("policy")}
    assert by_policy["align"] == 9
    version = PolicyVersion.objects.get(policy__name="minimum")
    assert version.profile["sla"] == {"critical": 3, "high": 5, "medium": 30, "low": 60}


def test_the_same_again_changes_nothing_and_says_so(acme: World) -> None:
    apply()
    entries, configured = Entry.objects.count(), Configuration.objects.get().applied_at
    again = apply(at=AT + timedelta(days=3))
    assert not again.changed
    assert set(actions(again).values()) == {"keep"}
    assert Entry.objects.count() == entries
    assert Configuration.objects.get().applied_at == configured
    assert PolicyVersion.objects.count() == 3


def test_a_difference_is_shown_before_it_is_applied_and_changes_nothing(acme: World) -> None:
    apply()
    changed = BASELINES.replace("at: 2.4.0", "at: 2.3.0")
    outcome = configuration.diff(files(changed), at=AT)
    assert {name: action for name, action in actions(outcome).items() if action != "keep"} == {
        "align": "change"
    }
    (item,) = outcome.groups[0].changed
    assert [str(change) for change in item.changes] == ["rules[crm].at: 2.4.0 → 2.3.0"]
    assert PolicyVersion.objects.count() == 3


def test_a_changed_text_makes_a_new_version_and_the_old_one_stays(acme: World) -> None:
    apply()
    apply(BASELINES.replace("at: 2.4.0", "at: 2.3.0"))
    policy = Policy.objects.get(name="align")
    assert policy.current is not None
    assert policy.current.number == 2
    assert policy.versions.get(number=1).document["rules"][0]["at"] == "2.4.0"
    assert Rule.objects.in_force(AT).filter(policy=policy).get().spec == {"at": "2.3.0"}


def test_a_changed_profile_makes_a_new_version_of_its_policies_only(acme: World) -> None:
    apply()
    apply("", PROFILES.replace("mode: observe", "mode: remind"))
    numbers = {p.name: p.current.number for p in Policy.objects.select_related("current") if p.current}
    assert numbers == {"minimum": 1, "align": 2, "freeze": 1}
    assert {rule.mode for rule in Rule.objects.in_force(AT).filter(policy__name="align")} == {"remind"}


def test_what_a_file_leaves_out_is_left_alone(acme: World) -> None:
    apply()
    applied = apply("version: 1\ngroups:\n  acme: {policies: []}\n", "")
    assert not applied.changed
    assert Policy.objects.filter(status="active").count() == 3


def test_pruning_retires_what_the_files_leave_out_and_shows_it_first(acme: World) -> None:
    apply()
    bare = files("version: 1\ngroups:\n  acme: {policies: []}\n", "version: 1\nprofiles: []\n")
    shown = configuration.diff(bare, prune=True, at=AT)
    gone = ["align", "freeze", "late", "minimum", "sla", "steady", "watch"]
    assert sorted(item.name for item in shown.groups[0].changed) == gone
    configuration.apply(bare, prune=True, actor=SYSTEM, at=AT)
    assert set(Policy.objects.values_list("status", flat=True)) == {"retired"}
    assert Exemption.objects.get().status == "revoked"
    assert not Profile.objects.exists()
    assert not Rule.objects.in_force(AT).exists()


def test_a_retired_policy_comes_back_when_the_file_names_it_again(acme: World) -> None:
    apply()
    apply("version: 1\ngroups:\n  acme: {policies: []}\n", PROFILES, prune=True)
    assert actions(apply())["align"] == "add"
    assert Policy.objects.get(name="align").status == "active"
    assert PolicyVersion.objects.filter(policy__name="align").count() == 1


def test_a_paused_policy_stays_paused_under_a_new_text(acme: World) -> None:
    apply()
    Policy.objects.filter(name="align").update(status="paused")
    apply(BASELINES.replace("at: 2.4.0", "at: 2.3.0"))
    assert Policy.objects.get(name="align").status == "paused"


def test_a_spent_exemption_is_not_renewed_until_its_text_changes(acme: World) -> None:
    apply()
    Exemption.objects.update(status="expired")
    later = AT + timedelta(days=20)
    again = apply(at=later)
    assert not again.changed
    assert "only when its text changes" in again.as_json()["groups"]["acme"]["items"][0]["note"]
    apply(BASELINES.replace("until: in 9 days}", "until: in 8 days}"), at=later)
    assert Exemption.objects.get(status="approved").expires_at == later + timedelta(days=8)


def test_a_changed_exemption_ends_the_one_before_it(acme: World) -> None:
    apply()
    apply(BASELINES.replace("rule: crm, ", ""))
    assert sorted(Exemption.objects.values_list("status", "rule_key")) == [
        ("approved", ""),
        ("revoked", "crm"),
    ]


def test_an_exemption_whose_time_is_over_is_noted_and_not_granted(acme: World) -> None:
    applied = apply(BASELINES.replace("until: in 9 days}", 'until: "2020-01-01"}'))
    (item,) = [item for item in applied.groups[0].items if item.noun == "exemption"]
    assert item.note == "is over already, so nothing is granted"
    assert not Exemption.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        (
            "tenant: tenant-b,",
            "tenant: tenant-c,",
            "exemptions[0].tenant",
            "there is no tenant “tenant-c”; did",
        ),
        (
            "policy: align",
            "policy: allign",
            "exemptions[0].policy",
            "there is no policy “allign”; did you mean",
        ),
        (
            "rule: crm,",
            "rule: cmr,",
            "exemptions[0].rule",
            "there is no rule of “align” “cmr”; did you mean",
        ),
        ("policy: align, rule: crm", "policy: freeze", "exemptions[0].policy", "“freeze” is a hold"),
        ('">=2.0.0"', '">=two"', "baselines[0].versions.host: ", "“>=two” is not a version range"),
        ("at: 2.4.0", "at: new", "policies[0].rules[0].at", "“new” is not a version"),
        ("name: freeze", "name: minimum", "holds[0].name", "the name “minimum” stands here twice"),
        ("profile: watch", "profile: wach", "policies[0].profile", "there is no profile “wach”"),
        ("plugins: [crm]", "plugins: [cmr]", "policies[0].rules[0].plugins[0]", "the catalogue has no"),
        (
            "until: in 9 days, reason: Books",
            "until: 2026-02-30, reason: Books",
            "holds[0].until",
            "is not a date",
        ),
        ("  acme:", "  acne:", "groups.acne", "there is no group “acne”; did you mean “acme”?"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_reason(
    acme: World, old: str, new: str, place: str, reason: str
) -> None:
    line = BASELINES[: BASELINES.index(old)].count("\n") + 1
    (told,) = refusal(BASELINES.replace(old, new))
    assert told.startswith(f"baselines.yaml:{line}: groups.")
    assert place in told
    assert reason in told


def test_all_problems_are_told_at_once(acme: World) -> None:
    wrong = BASELINES.replace("tenant: tenant-b,", "tenant: x,").replace("at: 2.4.0", "at: new")
    assert len(refusal(wrong)) == 2


def test_a_window_that_ends_before_it_starts_is_refused(acme: World) -> None:
    wrong = BASELINES.replace(
        "profile: watch\n",
        "profile: watch\n        effective_from: 2026-05-01\n        effective_until: 2026-04-01\n",
    )
    assert "ends before it starts" in refusal(wrong)[0]


def test_the_same_profile_twice_is_refused(acme: World) -> None:
    assert refusal("", PROFILES.replace("name: watch", "name: steady")) == [
        "profiles.yaml:4: profiles[1].name: the name “steady” stands here twice, first in line 3"
    ]


def test_only_named_groups_are_touched(acme: World) -> None:
    both = BASELINES + BASELINES.split("groups:\n")[1].replace("  acme:", "  elsewhere:", 1)
    applied = apply(both, groups=["acme"])
    assert [group.group.slug for group in applied.groups] == ["acme"]
    assert set(Policy.objects.values_list("group__slug", flat=True)) == {"acme"}


def test_a_folder_is_read_whole(acme: World, tmp_path: Path) -> None:
    (tmp_path / configuration.PROFILES).write_text(PROFILES)
    (tmp_path / configuration.BASELINES).write_text(BASELINES)
    assert configuration.apply_folder(tmp_path, actor=SYSTEM, at=AT).changed
    with pytest.raises(ConfigurationError, match="has none of"):
        configuration.load(tmp_path / "..")


def test_an_export_gives_back_what_an_import_took(acme: World) -> None:
    apply()
    baselines, profiles = files().baselines, files().profiles
    assert baselines is not None
    assert profiles is not None
    assert configuration.export_baselines([acme.group]) == baselines.data
    assert configuration.export_profiles([acme.group]) == profiles.data
