"""Changes to a policy's text: the tenants meant get another rule, and nobody else notices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import policy_documents, policy_edits, rules, selections
from governance.rules import RuleSpec, Wish
from governance.selections import TenantFacts
from tests.factories import AT

KEYS = ("a", "b", "c", "d")
TENANTS = [
    TenantFacts(number, key, tier, {"ring": ring})
    for number, (key, tier, ring) in enumerate(
        [(key, tier, ring) for key in KEYS for tier in ("gold", "plain") for ring in ("pilot", "main")]
    )
]
HOLD = {"name": "h", "kind": "hold", "tenants": "*", "plugins": ["crm"], "until": "in 9 days", "reason": "x"}

keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
parts = {
    "keys": keys,
    "tiers": st.lists(st.sampled_from(["gold", "plain"]), min_size=1, max_size=1),
    "labels": st.fixed_dictionaries({"ring": st.sampled_from(["pilot", "main", ["pilot", "main"]])}),
}
simple = st.just("*") | st.fixed_dictionaries({}, optional=parts).filter(bool)
selectors = st.recursive(
    simple,
    lambda inner: st.fixed_dictionaries(
        {"except": inner | st.lists(inner, min_size=1, max_size=3)}, optional=parts
    ),
    max_leaves=5,
)
values = st.sampled_from([{"at_least": "2.4.0"}, {"same": True}, {"exactly": "2.3.0"}, {"deny": "<2"}])
variants = st.lists(st.tuples(selectors, values), max_size=3).map(
    lambda found: [
        {"name": f"v{place}", "tenants": tenants, **value} for place, (tenants, value) in enumerate(found)
    ]
)


@given(selectors, keys)
def test_a_selector_without_some_tenants_chooses_all_others_as_before(selector: Any, left: list[str]) -> None:
    after = selections.without(selector, left)
    selections.check(after, "tenants")
    for tenant in TENANTS:
        wanted = selections.matches(selector, tenant) and tenant.key not in left
        assert selections.matches(after, tenant) == wanted


@given(selectors, keys, keys)
def test_leaving_tenants_out_one_by_one_is_the_same_as_at_once(
    selector: Any, first: list[str], second: list[str]
) -> None:
    one_by_one = selections.without(selections.without(selector, first), second)
    at_once = selections.without(selector, {*first, *second})
    for tenant in TENANTS:
        assert selections.matches(one_by_one, tenant) == selections.matches(at_once, tenant)


@pytest.mark.parametrize(
    ("selector", "after"),
    [
        ("*", {"except": {"keys": ["b"]}}),
        ({"keys": ["a", "b"]}, {"keys": ["a"]}),
        ({"keys": ["b"]}, {"keys": ["b"], "except": {"keys": ["b"]}}),
        ({"tiers": ["gold"]}, {"tiers": ["gold"], "except": {"keys": ["b"]}}),
        ({"except": {"keys": ["a"]}}, {"except": {"keys": ["a", "b"]}}),
        ({"except": {"tiers": ["gold"]}}, {"except": [{"tiers": ["gold"]}, {"keys": ["b"]}]}),
        (
            {"except": [{"tiers": ["gold"]}, {"keys": ["a"]}]},
            {"except": [{"tiers": ["gold"]}, {"keys": ["a", "b"]}]},
        ),
    ],
)
def test_a_selector_stays_as_short_as_a_person_would_write_it(selector: Any, after: Any) -> None:
    assert selections.without(selector, ["b"]) == after


def wanted_of(spec: RuleSpec, tenant: TenantFacts) -> Wish:
    """What a rule wants of a tenant: the first variant that selects it counts."""
    chosen = (variant.wish for variant in spec.variants if selections.matches(variant.tenants, tenant))
    return next(chosen, spec.wish)


def parsed(document: dict[str, Any]) -> dict[str, RuleSpec]:
    expanded = policy_documents.expand(document, None, at=AT)
    return {spec.key: spec for spec in rules.parse_all(expanded.rules)}


@given(values, variants, keys)
def test_a_variant_changes_its_rule_for_its_tenants_and_nothing_else(
    value: dict[str, Any], present: list[dict[str, Any]], meant: list[str]
) -> None:
    other = {"name": "erp", "plugins": ["erp"], "at_least": "1.0.0"}
    rule = {"name": "crm", "plugins": ["crm"], **value, **({"variants": present} if present else {})}
    document = {"name": "p", "kind": "policy", "tenants": "*", "rules": [rule, other]}
    before, after = parsed(document), parsed(policy_edits.with_variant(document, "crm", meant, "2.2.0"))
    assert after["erp"] == before["erp"]
    for tenant in TENANTS:
        expected = wanted_of(before["crm"], tenant)
        if tenant.key in meant:
            expected = Wish("range", {"exactly": "2.2.0"})
        assert wanted_of(after["crm"], tenant) == expected


@given(keys)
def test_a_baselines_versions_become_rules_of_the_same_names(meant: list[str]) -> None:
    document = {
        "name": "p",
        "kind": "baseline",
        "tenants": "*",
        "versions": {"crm": ">=2.4", "erp.core": {"exactly": "1.0.0"}, "erp-core": "*"},
    }
    edited = policy_edits.with_variant(document, "erp-core-2", meant, "0.9.0")
    assert "versions" not in edited
    before, after = parsed(document), parsed(edited)
    assert list(after) == list(before)
    for key in before:
        for tenant in TENANTS:
            varied = key == "erp-core-2" and tenant.key in meant
            assert (wanted_of(after[key], tenant) == wanted_of(before[key], tenant)) != varied


@pytest.mark.parametrize(
    ("rule", "key", "reason"),
    [
        ({"plugins": ["crm"], "hold": True}, "r", "about no version"),
        ({"plugins": ["crm"], "present": True}, "r", "about no version"),
        ({"plugins": ["crm"], "absent": True}, "r", "about no version"),
        ({"plugins": ["crm", "erp"], "channel": "lts"}, "r", "about several plugins"),
        ({"plugins": "*", "deny": "vulnerable"}, "r", "about several plugins"),
        ({"plugins": ["crm"], "channel": "lts"}, "profile-vulnerable", "comes from the profile"),
        ({"plugins": ["crm"], "channel": "lts"}, "gone", "no rule of the policy"),
    ],
)
def test_a_rule_that_cannot_have_a_variant_says_why(rule: dict[str, Any], key: str, reason: str) -> None:
    document = {"name": "p", "tenants": "*", "rules": [{"name": "r", **rule}]}
    with pytest.raises(policy_edits.NoVariant, match=reason):
        policy_edits.with_variant(document, key, ["a"], "1.0.0")


def test_a_relative_end_stays_when_it_was() -> None:
    pinned = policy_edits.pinned({**HOLD, "effective_from": "2026-01-01"}, at=AT)
    later = policy_documents.expand(pinned, None, at=AT + timedelta(days=5))
    assert later.effective_until == AT + timedelta(days=9)
    assert pinned["effective_from"] == "2026-01-01"


def test_what_ended_is_in_force_no_longer() -> None:
    policy = {"name": "p", "kind": "policy", "tenants": "*", "rules": []}
    for document in (HOLD, policy):
        written = policy_edits.ended(document, at=AT.replace(microsecond=7))
        assert AT.isoformat() in written.values()
        assert policy_documents.expand(written, None, at=AT).effective_until == AT


def test_a_hold_and_a_policy_of_holds_only_do_nothing_else() -> None:
    keeps = {"name": "k", "plugins": "*", "hold": True}
    wants = {"name": "w", "plugins": ["crm"], "at_least": "2.4.0"}
    policy = {"name": "p", "kind": "policy", "tenants": "*"}
    assert policy_edits.only_holds(HOLD)
    assert policy_edits.only_holds({**policy, "rules": [keeps]})
    assert not policy_edits.only_holds({**policy, "rules": [keeps, wants]})
    assert not policy_edits.only_holds({**policy, "rules": []})
