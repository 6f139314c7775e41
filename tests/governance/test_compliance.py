"""How far a group is in line, now and through its history."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from governance import compliance
from governance.models import (
    Exemption,
    Finding,
    Installation,
    Inventory,
    Manifest,
    Plugin,
    Policy,
    PolicyVersion,
    Release,
    Rule,
    Selection,
    SelectionTenant,
    Snapshot,
    Violation,
)
from governance.violations import violations_query
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

DAY = timedelta(days=1)


def snapshot(world: World, number: int, **fields: Any) -> Snapshot:
    known = {"tenants": 2, "installations": 2, "opened": 0, "closed": 0, "sealed_at": AT + number * DAY}
    return Snapshot.objects.create(
        group=world.group,
        number=number,
        trigger="hand",
        actor_name="x",
        digest=str(number),
        **{**known, **fields},
    )


def install(tenant: Tenant, plugin: Plugin, version: str, since: int, until: int | None = None) -> None:
    Installation.objects.create(
        group_id=tenant.group_id,
        tenant=tenant,
        plugin=plugin,
        release=factories.release(plugin, version),
        since=since,
        until=until,
    )


def rule(
    world: World, name: str, *broken_by: Release, tenants: list[Tenant] | None = None, **fields: Any
) -> Rule:
    """A rule in force, compiled, that these releases break."""
    policy = Policy.objects.create(group=world.group, name=name, status=Policy.Status.ACTIVE)
    policy.current = PolicyVersion.objects.create(policy=policy, number=1, document={}, created_at=AT)
    policy.save()
    selection = Selection.objects.create(group=world.group, digest=name, document={})
    for tenant in tenants or [world.tenant_a, world.tenant_b]:
        SelectionTenant.objects.create(selection=selection, tenant=tenant)
    made = Rule.objects.create(
        group=world.group,
        policy=policy,
        version=policy.current,
        key="core",
        selection=selection,
        mode="enforce",
        **{"kind": "range", **fields},
    )
    Violation.objects.bulk_create(
        Violation(rule=made, release=release, plugin_id=release.plugin_id) for release in broken_by
    )
    return made


def exempt(
    world: World, rule: Rule, tenant: Tenant, starts: datetime, expires: datetime, **fields: Any
) -> None:
    Exemption.objects.create(
        group=world.group,
        tenant=tenant,
        policy=rule.policy,
        reason="needs time",
        starts_at=starts,
        expires_at=expires,
        requested_at=starts,
        **{"status": "approved", **fields},
    )


def figures(world: World) -> list[tuple[int | None, int | None]]:
    """Installations in drift and compliant tenants, snapshot by snapshot."""
    rows = Snapshot.objects.filter(group=world.group).order_by("number")
    return list(rows.values_list("drifting", "compliant_tenants"))


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])


@pytest.fixture
def history(world: World, crm: Plugin) -> World:
    """tenant-b is behind in snapshots 1 and 2; five snapshots."""
    install(world.tenant_a, crm, "2.4.0", 1)
    install(world.tenant_b, crm, "2.3.0", 1, 3)
    install(world.tenant_b, crm, "2.4.0", 3)
    for number in range(1, 6):
        snapshot(world, number)
    return world


def test_each_snapshot_is_judged_by_what_it_held(history: World, crm: Plugin) -> None:
    rule(history, "core", factories.release(crm, "2.3.0"))
    assert compliance.measure(history.group, at=AT) == 5
    assert figures(history) == [(1, 1), (1, 1), (0, 2), (0, 2), (0, 2)]


def test_what_was_measured_stays_as_it_was(history: World, crm: Plugin) -> None:
    compliance.measure(history.group, at=AT)
    rule(history, "later", factories.release(crm, "2.3.0"))
    assert compliance.measure(history.group, at=AT) == 0
    assert figures(history) == [(0, 2)] * 5


def test_only_the_snapshots_asked_for_are_measured(history: World, crm: Plugin) -> None:
    rule(history, "core", factories.release(crm, "2.3.0"))
    second = Snapshot.objects.get(group=history.group, number=2)
    assert compliance.measure(history.group, [second], at=AT) == 1
    assert figures(history) == [(None, None), (1, 1), (None, None), (None, None), (None, None)]


def test_an_installation_that_breaks_two_rules_is_one_in_drift(history: World, crm: Plugin) -> None:
    for name in ("one", "two"):
        rule(history, name, factories.release(crm, "2.3.0"))
    compliance.measure(history.group, at=AT)
    assert figures(history)[0] == (1, 1)


def test_a_rule_that_is_not_about_the_tenant_does_not_count(history: World, crm: Plugin) -> None:
    rule(history, "core", factories.release(crm, "2.3.0"), tenants=[history.tenant_a])
    compliance.measure(history.group, at=AT)
    assert figures(history)[0] == (0, 2)


def test_a_rule_whose_time_has_not_come_does_not_count(history: World, crm: Plugin) -> None:
    rule(history, "core", factories.release(crm, "2.3.0"), effective_from=AT + DAY)
    compliance.measure(history.group, at=AT)
    assert figures(history)[0] == (0, 2)


def test_an_exemption_counts_in_the_snapshots_of_its_time(history: World, crm: Plugin) -> None:
    exempt(
        history, rule(history, "core", factories.release(crm, "2.3.0")), history.tenant_b, AT, AT + 2 * DAY
    )
    compliance.measure(history.group, at=AT)
    assert figures(history) == [(0, 2), (1, 1), (0, 2), (0, 2), (0, 2)]


@pytest.mark.parametrize("fields", [{"status": "requested"}, {"rule_key": "another"}])
def test_an_exemption_from_something_else_covers_nothing(
    history: World, crm: Plugin, fields: dict[str, str]
) -> None:
    core = rule(history, "core", factories.release(crm, "2.3.0"))
    exempt(history, core, history.tenant_b, AT, AT + 9 * DAY, **fields)
    compliance.measure(history.group, at=AT)
    assert figures(history)[0] == (1, 1)


def test_a_plugin_that_must_be_there_counts_from_the_tenants_first_manifest_on(
    history: World, crm: Plugin
) -> None:
    audit = factories.plugin(history.group, "audit", ["1.0.0"])
    install(history.tenant_a, audit, "1.0.0", 2, 4)
    rule(history, "wanted", kind="present", plugins=[audit.pk], tenants=[history.tenant_a])
    compliance.measure(history.group, at=AT)
    assert figures(history) == [(1, 1), (0, 2), (0, 2), (1, 1), (1, 1)]


def test_a_tenant_that_did_not_say_all_that_it_runs_misses_nothing(history: World, crm: Plugin) -> None:
    audit = factories.plugin(history.group, "audit", ["1.0.0"])
    rule(history, "wanted", kind="present", plugins=[audit.pk], tenants=[history.tenant_a])
    Manifest.objects.create(
        group=history.group,
        tenant=history.tenant_a,
        inventory=Inventory.objects.create(digest="x", plugins={}, size=0),
        observed_at=AT,
        received_at=AT,
        source="file",
        complete=False,
    )
    compliance.measure(history.group, at=AT)
    assert figures(history)[0] == (0, 2)


@pytest.mark.parametrize("seed", range(8))
def test_measuring_all_at_once_gives_what_asking_each_snapshot_gives(world: World, seed: int) -> None:
    chance = random.Random(seed)
    tenants = [world.tenant_a, world.tenant_b, *(factories.tenant(world.group, f"t-{n}") for n in range(4))]
    plugins = [factories.plugin(world.group, f"p-{n}", ["1.0.0", "2.0.0", "3.0.0"]) for n in range(3)]
    for tenant in tenants:
        for plugin in plugins:
            ends = sorted(chance.sample(range(1, 13), chance.choice([0, 2, 4, 5])))
            for place, since in enumerate(ends):
                until = ends[place + 1] if place + 1 < len(ends) else None
                if chance.random() < 0.8:
                    install(tenant, plugin, chance.choice(["1.0.0", "2.0.0", "3.0.0"]), since, until)
    releases = list(Release.objects.filter(plugin__in=plugins))
    rules = [
        rule(world, f"r-{n}", *chance.sample(releases, 3), tenants=chance.sample(tenants, 4))
        for n in range(3)
    ]
    exempt(world, rules[0], tenants[0], AT + 3 * DAY, AT + 8 * DAY)
    sealed = [snapshot(world, number, tenants=len(tenants)) for number in range(1, 12)]
    compliance.measure(world.group, at=AT)
    expected = []
    for one in sealed:
        query = violations_query(
            [r.pk for r in rules], None, one.sealed_at, group_id=world.group.pk, snapshot=one.number
        )
        with connection.cursor() as cursor:
            cursor.execute(query.text, query.parameters)
            open_ = {row[:2] for row in cursor.fetchall() if row[4] is None}
        expected.append((len(open_), len(tenants) - len({tenant for tenant, _ in open_})))
    assert figures(world) == expected


@pytest.fixture
def drift(history: World, crm: Plugin) -> World:
    """tenant-b has one open finding."""
    policy = rule(history, "core").policy
    known = {"plugin": crm, "policy": policy, "rule_key": "core", "opened_at": AT, "opened_snapshot": 1}
    Finding.objects.create(group=history.group, tenant=history.tenant_b, **known)
    return history


def test_the_rate_is_of_tenants_and_of_installations(drift: World) -> None:
    rate = compliance.rate(drift.access(drift.owner))
    assert rate == compliance.Rate(tenants=2, compliant_tenants=1, installations=2, drifting=1)
    assert (rate.share, rate.installation_share) == (0.5, 0.5)


def test_a_tenant_admins_rate_is_of_the_own_tenant(drift: World) -> None:
    rate = compliance.rate(drift.access(drift.tenant_admin))
    assert rate == compliance.Rate(tenants=1, compliant_tenants=1, installations=1, drifting=0)


def test_accepted_drift_and_tenants_that_are_gone_do_not_count(drift: World) -> None:
    Finding.objects.update(status="accepted")
    assert compliance.rate(drift.access(drift.owner)).drifting == 0
    Finding.objects.update(status="new")
    Tenant.objects.filter(pk=drift.tenant_b.pk).update(active=False)
    assert compliance.rate(drift.access(drift.owner)).share == 1.0


def test_a_group_without_tenants_has_nothing_out_of_line(world: World) -> None:
    assert compliance.Rate(0, 0, 0, 0).share == 1.0
    assert compliance.Rate(0, 0, 0, 0).installation_share == 1.0
