"""Which tenants a selector chooses."""

from typing import Any

import pytest

from governance import selections
from governance.selections import SelectorError, TenantFacts

ALPHA = TenantFacts(1, "alpha", "gold", {"ring": "pilot", "region": "eu"})
BETA = TenantFacts(2, "beta", "standard", {"ring": "main", "region": "eu"})
GAMMA = TenantFacts(3, "gamma", "standard", {"ring": "main"})


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("*", {"alpha", "beta", "gamma"}),
        ({"keys": ["alpha", "unknown"]}, {"alpha"}),
        ({"tiers": ["standard"]}, {"beta", "gamma"}),
        ({"labels": {"ring": "main"}}, {"beta", "gamma"}),
        ({"labels": {"ring": ["main", "pilot"]}}, {"alpha", "beta", "gamma"}),
        ({"labels": {"ring": "main", "region": "eu"}}, {"beta"}),
        ({"tiers": ["standard"], "labels": {"region": "eu"}}, {"beta"}),
        ({"except": {"keys": ["beta"]}}, {"alpha", "gamma"}),
        ({"tiers": ["standard"], "except": {"labels": {"region": "eu"}}}, {"gamma"}),
        ({"except": {"tiers": ["standard"], "except": {"keys": ["beta"]}}}, {"alpha", "beta"}),
    ],
)
def test_a_selector_chooses(selector: Any, chosen: set[str]) -> None:
    selections.check(selector, "tenants")
    assert {tenant.key for tenant in (ALPHA, BETA, GAMMA) if selections.matches(selector, tenant)} == chosen


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        (None, "tenants"),
        ({}, "tenants"),
        ("all", "tenants"),
        ({"keys": "alpha"}, "tenants.keys"),
        ({"keys": []}, "tenants.keys"),
        ({"tiers": [1]}, "tenants.tiers"),
        ({"labels": []}, "tenants.labels"),
        ({"labels": {"ring": 1}}, "tenants.labels.ring"),
        ({"rings": ["main"]}, "tenants.rings"),
        ({"except": {"keys": []}}, "tenants.except.keys"),
    ],
)
def test_a_selector_that_cannot_be_understood_is_refused_with_its_place(selector: Any, path: str) -> None:
    with pytest.raises(SelectorError) as refused:
        selections.check(selector, "tenants")
    assert refused.value.path == path


def test_a_selection_takes_what_all_choose_and_none_leaves_out() -> None:
    selection = selections.combined(["*", {"tiers": ["standard"]}], [{"keys": ["beta"]}])
    assert [selections.chooses(selection, tenant) for tenant in (ALPHA, BETA, GAMMA)] == [False, False, True]


def test_a_tenant_that_takes_no_part_is_never_chosen() -> None:
    retired = TenantFacts(4, "delta", "gold", {}, active=False)
    assert not selections.chooses(selections.combined(["*"]), retired)


def test_selections_that_choose_alike_have_one_digest() -> None:
    one = selections.combined([{"keys": ["a"], "tiers": ["gold"]}])
    other = selections.combined([{"tiers": ["gold"], "keys": ["a"]}])
    assert selections.digest(one) == selections.digest(other)
