"""A group to report on."""

import pytest

from audit.models import Report
from governance.models import (
    Conflict,
    ConflictTenant,
    Plan,
    Plugin,
    UpgradeTask,
)
from tests import factories
from tests.factories import AT, World
from tests.governance.reports.reported import built, find, install, policy


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "powerx-crm-plugin", ["2.3.0", "2.4.0"])


@pytest.fixture
def fleet(world: World, crm: Plugin) -> World:
    """tenant-b is behind and overdue soon; tenant-a was, and was brought back by a task."""
    core = policy(world)
    install(world.tenant_a, crm, "2.4.0")
    install(world.tenant_b, crm, "2.3.0")
    versions = {"release": factories.release(crm, "2.3.0"), "target": factories.release(crm, "2.4.0")}
    find(world.tenant_b, crm, core, **versions)
    find(world.tenant_a, crm, core, status="resolved", closed_at=AT, **versions)
    plan = Plan.objects.create(
        group=world.group, number=1, snapshot_number=1, inputs_digest="x", created_at=AT, created_by_name="x"
    )
    step = {"plugin": crm.name, "from": "2.3.0", "to": "2.4.0", "because": "core"}
    for tenant, status in ((world.tenant_a, "succeeded"), (world.tenant_b, "queued")):
        UpgradeTask.objects.create(
            group=world.group,
            plan=plan,
            tenant=tenant,
            status=status,
            steps=[step],
            idempotency_key=tenant.key,
            created_at=AT,
            finished_at=AT if status == "succeeded" else None,
        )
    return world


@pytest.fixture
def conflict(fleet: World, crm: Plugin) -> Conflict:
    """A hold keeps tenant-b where the core policy can't have it."""
    found = Conflict.objects.create(
        group=fleet.group,
        fingerprint="f" * 64,
        plugin=crm,
        explanation={
            "summary": "No release satisfies core-plugins and hold-b",
            "rules": [
                {"policy": "core-plugins", "key": "core", "says": "is 2.4.0 everywhere"},
                {"policy": "hold-b", "key": "hold", "says": "stays as it is"},
            ],
            "chain": [],
        },
        ways_out=[
            {
                "kind": "set_aside",
                "rule": "hold-b/hold",
                "set_aside": [{"policy": "hold-b", "key": "hold"}],
                "says": "Lift the hold on tenant-b",
            }
        ],
        found_at=AT,
    )
    ConflictTenant.objects.create(group=fleet.group, conflict=found, tenant=fleet.tenant_b)
    return found


@pytest.fixture
def report(fleet: World) -> Report:
    return built(fleet)
