"""Policies as versioned documents: drafted, put in force, paused, retired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import policies, policy_documents, profiles
from governance.documents import ConfigurationError
from governance.models import Finding, Policy, PolicyVersion, Rule
from tests import factories
from tests.factories import AT, World

ALIGN = {
    "name": "align",
    "title": "One version",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"}],
}


@pytest.fixture
def acme(world: World) -> World:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "mail", ["1.0.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return world


def apply(world: World, **changes: Any) -> PolicyVersion:
    return policies.apply(world.group, {**ALIGN, **changes}, actor=SYSTEM, at=AT)


def drifting(world: World) -> set[str]:
    found = Finding.objects.filter(group=world.group).outstanding()
    return set(found.values_list("tenant__key", flat=True))


def actions(world: World) -> list[str]:
    entries = Entry.objects.filter(group_id=world.group.pk).order_by("sequence")
    return [entry.action for entry in entries if entry.action.startswith("policy.")]


def test_a_policy_put_in_force_finds_its_drift_at_once(acme: World) -> None:
    version = apply(acme)
    assert policies.is_in_force(version)
    assert drifting(acme) == {"tenant-b"}
    assert actions(acme) == [Action.POLICY_DRAFTED, Action.POLICY_APPLIED]


def test_a_draft_binds_nobody(acme: World) -> None:
    version = policies.save_draft(acme.group, ALIGN, actor=SYSTEM, at=AT)
    assert version.policy.status == "draft"
    assert not policies.is_in_force(version)
    assert not Rule.objects.in_force(AT).exists()
    policies.apply_version(version, actor=SYSTEM, at=AT)
    assert drifting(acme) == {"tenant-b"}


def test_the_same_text_is_the_same_version(acme: World) -> None:
    first = apply(acme)
    entries = Entry.objects.count()
    assert apply(acme).pk == first.pk
    assert Entry.objects.count() == entries


def test_a_new_text_keeps_the_old_one_and_tells_them_apart(acme: World) -> None:
    first = apply(acme)
    second = apply(acme, rules=[{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.3.0"}])
    assert [str(change) for change in policies.diff(first, second)] == ["rules[crm].at: 2.4.0 → 2.3.0"]
    assert drifting(acme) == {"tenant-a"}
    record = Entry.objects.filter(action=Action.POLICY_APPLIED).latest("sequence")
    assert (record.data["version"], record.data["previous"]) == (2, 1)


def test_an_older_version_can_be_put_in_force_again(acme: World) -> None:
    first = apply(acme)
    apply(acme, weight=7)
    policies.apply_version(first, actor=SYSTEM, at=AT)
    assert Policy.objects.get().current_id == first.pk
    assert apply(acme).pk == first.pk


def test_a_paused_policy_still_finds_drift(acme: World) -> None:
    policy = apply(acme).policy
    policies.pause(policy, actor=SYSTEM, at=AT, reason="release week")
    assert (policy.status, drifting(acme)) == ("paused", {"tenant-b"})
    policies.resume(policy, actor=SYSTEM, at=AT)
    assert policy.status == "active"
    assert actions(acme)[-2:] == [Action.POLICY_PAUSED, Action.POLICY_RESUMED]


def test_a_retired_policys_drift_is_over(acme: World) -> None:
    policy = apply(acme).policy
    policies.retire(policy, actor=SYSTEM, at=AT, reason="replaced")
    assert drifting(acme) == set()
    assert PolicyVersion.objects.filter(policy=policy).exists()


def test_only_a_policy_in_force_can_be_paused_and_only_a_paused_one_resumed(acme: World) -> None:
    policy = apply(acme).policy
    with pytest.raises(TransitionError):
        policies.resume(policy, actor=SYSTEM, at=AT)
    policies.pause(policy, actor=SYSTEM, at=AT)
    with pytest.raises(TransitionError):
        policies.pause(policy, actor=SYSTEM, at=AT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"profile": "none"}, "there is no profile “none”"),
        ({"rules": [{"name": "crm", "plugins": ["crm"], "range": ">two"}]}, "is not a version range"),
        ({"rules": [{"name": "crm", "plugins": ["crn"], "present": True}]}, "no plugin “crn”"),
        ({"grace_period": "2w"}, "“grace_period” needs “effective_from” beside it"),
        ({"kind": "wish"}, "“wish” isn't one of"),
        ({"extra": 1}, "unknown key “extra”"),
    ],
)
def test_a_text_that_can_not_bind_is_refused_whole(acme: World, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        apply(acme, **change)
    assert not Policy.objects.exists()


def test_a_checked_text_tells_what_is_wrong_and_what_is_only_odd(acme: World) -> None:
    odd = {**ALIGN, "tenants": {"keys": ["tenant-x"]}}
    problems, warnings = policies.check(acme.group, odd, at=AT)
    assert problems == []
    assert [warning.place for warning in warnings] == ["tenants.keys[0]"]


def test_another_groups_profile_is_not_there(acme: World) -> None:
    elsewhere = acme.outsider.memberships.get().group
    with pytest.raises(ConfigurationError, match="there is no profile"):
        policies.apply(elsewhere, {**ALIGN, "rules": []}, actor=SYSTEM, at=AT)


def expanded(document: dict[str, Any], profile: dict[str, Any] | None = None) -> Any:
    return policy_documents.expand(document, profile, at=AT)


def test_a_baselines_versions_are_rules() -> None:
    found = expanded({"name": "b", "kind": "baseline", "versions": {"crm": ">=2", "a.b": {"exactly": "1"}}})
    assert [(rule["name"], rule.get("range"), rule.get("exactly")) for rule in found.rules] == [
        ("crm", ">=2", None),
        ("a-b", None, "1"),
    ]


def test_plugins_whose_names_look_alike_get_rules_of_their_own() -> None:
    found = expanded({"name": "b", "versions": {"a.b": "1", "a-b": "2", "a b": "3"}})
    assert [rule["name"] for rule in found.rules] == ["a-b", "a-b-2", "a-b-3"]


def test_a_hold_is_a_rule_that_ends() -> None:
    found = expanded({"name": "h", "kind": "hold", "plugins": "*", "until": "in 9 days"})
    assert [dict(rule)["hold"] for rule in found.rules] == [True]
    assert found.effective_until == AT + timedelta(days=9)
    assert found.mode == "observe"


def test_a_rule_has_its_own_weight_and_the_service_level_of_its_severity() -> None:
    profile = {"mode": "remind", "weight": 5, "sla": {"high": 1}}
    rules = [{"name": "a", "severity": "high"}, {"name": "b", "weight": 9}]
    found = expanded({"name": "p", "rules": rules}, profile)
    assert [(rule["weight"], rule["sla_days"]) for rule in found.rules] == [(5, 1), (9, 30)]


def test_within_the_grace_period_drift_is_only_reminded_of() -> None:
    document = {"name": "p", "rules": [], "effective_from": "2026-03-10", "grace_period": "2w"}
    found = expanded(document, {"mode": "enforce"})
    cut_over = found.acts_from
    assert cut_over is not None
    assert found.effective_from is not None
    assert cut_over - found.effective_from == timedelta(weeks=2)
    assert found.mode_at(cut_over - timedelta(seconds=1)) == "remind"
    assert found.mode_changes_at(cut_over - timedelta(seconds=1)) == cut_over
    assert found.mode_at(cut_over) == "enforce"
    assert found.mode_changes_at(cut_over) is None


def test_a_date_is_included_as_an_end_and_as_a_beginning() -> None:
    document = {"name": "p", "effective_from": "2026-03-10", "effective_until": "2026-03-10"}
    found = expanded(document)
    assert found.effective_until - found.effective_from == timedelta(days=1)


def test_a_profile_says_what_it_leaves_out_too() -> None:
    said = profiles.settings(
        {
            "mode": "enforce",
            "rings": [{"name": "pilot", "tenants": "*", "wait": "2d"}],
            "notify": {"owners": False},
        }
    )
    assert (said.prefer, said.weight, said.starts_by_itself) == ("nearest", 100, True)
    assert (said.tells_owners, said.tells_tenant_admins) == (False, True)
    assert [(ring.name, ring.wait) for ring in said.rings] == [("pilot", timedelta(days=2))]


def test_a_profile_in_use_stays(acme: World) -> None:
    apply(acme)
    profile = acme.group.profiles.get()
    with pytest.raises(profiles.ProfileInUse, match="align"):
        profiles.remove(profile, actor=SYSTEM, at=AT)
