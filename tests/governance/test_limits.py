"""Limits: how many tasks are under way at once, whoever hands them over."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import decisions, drift, limits, plans, upgrades, waiting
from governance.limits import Limits, Load, Spot
from governance.models import Plan, UpgradeTask
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

FEW = st.none() | st.integers(1, 4)
SPOTS = st.builds(Spot, st.sampled_from(["", "10.0.0", "11.0.0"]), st.sampled_from(["", "eu", "us"]))


@given(st.builds(Limits, FEW, FEW, FEW), st.lists(SPOTS, max_size=30))
def test_no_limit_is_ever_exceeded_and_none_keeps_what_it_is_not_about(
    allowed: Limits, spots: list[Spot]
) -> None:
    load, kept = Load(), []
    for spot in spots:
        if limits.in_the_way(allowed, spot, load):
            kept.append(spot)
        else:
            load.add(spot)
    assert load.total <= (allowed.at_once or limits.AT_ONCE)
    for counted, limit in ((load.hosts, allowed.per_host_version), (load.regions, allowed.per_region)):
        assert all(count <= limit for name, count in counted.items() if name and limit)
    for spot in kept:
        full = [
            load.total >= (allowed.at_once or limits.AT_ONCE),
            bool(spot.host and allowed.per_host_version == load.hosts[spot.host]),
            bool(spot.region and allowed.per_region == load.regions[spot.region]),
        ]
        assert any(full)


@given(st.lists(st.builds(Limits, FEW, FEW, FEW), max_size=4), SPOTS, st.lists(SPOTS, max_size=9))
def test_the_strictest_of_several_keeps_whatever_one_of_them_keeps(
    said: list[Limits], spot: Spot, under_way: list[Spot]
) -> None:
    load = Load()
    for other in under_way:
        load.add(other)
    each = [bool(limits.in_the_way(one, spot, load)) for one in said]
    assert bool(limits.in_the_way(limits.strictest(said), spot, load)) == any(each)


def test_a_profile_may_let_more_go_and_one_that_says_nothing_keeps_to_what_holds_then() -> None:
    more, full = Limits(at_once=200), Load(limits.AT_ONCE)
    assert (limits.in_the_way(more, limits.NOWHERE, full), Limits().as_json()) == ("", {})
    assert limits.in_the_way(Limits(), limits.NOWHERE, full)
    assert limits.strictest([more, Limits()]).most == limits.AT_ONCE
    assert limits.strictest([Limits(), Limits()]) == limits.strictest([]) == Limits()


def started(world: World, name: str, keys: list[str], **allowed: int) -> Plan:
    """A running plan for these tenants, half of them on another host and in another region."""
    group = world.group
    if not group.plugins.exists():
        factories.plugin(group, "host", ["10.0.0", "11.0.0"], host=True)
    factories.plugin(group, name, ["1.0.0", "1.1.0"])
    for place, key in enumerate(keys):
        tenant = factories.tenant(group, key, region=("eu", "us")[place % 2])
        factories.install(tenant, {name: "1.0.0", "host": ("10.0.0", "11.0.0")[place % 2]})
    rule = {"name": name, "plugins": [name], "at_least": "1.1.0"}
    factories.policy(group, name, [rule], profile={"mode": "enforce", "limits": allowed})
    drift.detect(group, at=AT)
    decisions.evaluate(group, at=AT, actor=SYSTEM)
    plan = plans.draft(group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    return plan


def under_way(world: World) -> Counter[Any]:
    rows = UpgradeTask.objects.filter(group=world.group, status="dispatched")
    return Counter(rows.values_list("tenant__labels__region", flat=True))


@pytest.mark.parametrize(
    ("allowed", "total", "most"),
    [
        ({}, 6, 3),
        ({"at_once": 2}, 2, 2),
        ({"per_host_version": 2}, 4, 2),
        ({"per_region": 1}, 2, 1),
        ({"at_once": 3, "per_region": 2}, 3, 2),
    ],
)
def test_no_more_is_handed_over_than_the_profile_allows(
    world: World, allowed: dict[str, int], total: int, most: int
) -> None:
    started(world, "crm", [f"site-{n}" for n in range(6)], **allowed)
    upgrades.dispatch_due(world.group, at=AT)
    assert under_way(world).total() == total
    assert max(under_way(world).values()) <= most
    assert upgrades.dispatch_due(world.group, at=AT) == 0


def test_where_tasks_run_is_looked_up_only_where_a_limit_asks(
    world: World, django_assert_num_queries: Any
) -> None:
    started(world, "crm", ["site-0", "site-1"], at_once=100)
    turns = UpgradeTask.objects.filter(group=world.group).claimable(AT).select_related("tenant", "plan")
    with django_assert_num_queries(3):  # the plans, how many are under way, the head of the queue
        assert len(limits.admitted(world.group, turns)) == 2
    Plan.objects.update(limits={"per_region": 1})
    with django_assert_num_queries(5):
        assert len(limits.admitted(world.group, turns)) == 2


def test_limits_count_what_other_plans_have_under_way(world: World) -> None:
    started(world, "crm", ["site-0", "site-1"], per_region=1)
    upgrades.dispatch_due(world.group, at=AT)
    second = started(world, "erp", ["place-0", "place-1"], per_region=1)
    assert upgrades.dispatch_due(world.group, at=AT) == 0
    UpgradeTask.objects.filter(tenant__key="site-0").update(status="succeeded")
    upgrades.dispatch_due(world.group, at=AT)
    assert second.tasks.get(status="dispatched").tenant.labels == {"region": "eu"}


def test_a_kept_task_says_which_limit_keeps_it(world: World) -> None:
    plan = started(world, "crm", ["site-0", "site-2"], per_region=1)
    Tenant.objects.filter(key="site-2").update(labels={"region": "eu"})
    upgrades.dispatch_due(world.group, at=AT)
    kept = plan.tasks.select_related("group", "tenant", "plan").get(status="queued")
    explanation = waiting.explain_one(kept, at=AT)
    assert explanation is not None
    assert explanation.reason == "1 task under way in region eu, of at most 1; it is the next."
