"""The metrics for Prometheus, and the loop's figures for people."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from audit import ledger, outbox
from audit.actions import Action
from audit.models import OutboxMessage, Report
from audit.models.outbox import Destination
from config.access import SYSTEM, Permission
from config.env import BASE_DIR
from governance import compliance, metrics, upgrades
from governance.models import (
    Conflict,
    Finding,
    Installation,
    Inventory,
    Manifest,
    Plan,
    Plugin,
    Policy,
    Run,
    Snapshot,
    UpgradeTask,
)
from governance.workflow import Latency, workflow
from tenants import reach
from tenants.models import Group, Tenant
from tests import factories
from tests.factories import AT, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Status = UpgradeTask.Status
Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> Samples:
    """The values by name, and by label values in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(*groups: Group, at: Any = AT) -> Samples:
    return samples(metrics.scrape([group.pk for group in groups], at=at).decode())


def find(tenant: Tenant, plugin: Plugin, **fields: Any) -> Finding:
    policy, _ = Policy.objects.get_or_create(group_id=tenant.group_id, name="core")
    known = {"rule_key": "core", "opened_at": AT, "opened_snapshot": 1, "severity": "high", **fields}
    return Finding.objects.create(
        group_id=tenant.group_id, tenant=tenant, plugin=plugin, policy=policy, **known
    )


def task(tenant: Tenant, plugin: Plugin, status: str, **fields: Any) -> UpgradeTask:
    plan, _ = Plan.objects.get_or_create(
        group=tenant.group,
        number=1,
        defaults={"snapshot_number": 1, "inputs_digest": "x", "created_at": AT, "status": "running"},
    )
    return UpgradeTask.objects.create(
        group=tenant.group,
        plan=plan,
        tenant=tenant,
        status=status,
        steps=[{"plugin": plugin.name, "from": "2.3.0", "to": "2.4.0", "because": ""}],
        idempotency_key=f"{tenant.pk}-{status}-{UpgradeTask.objects.count()}",
        **{"created_at": AT, **fields},
    )


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])


def test_findings_are_counted_as_ever_opened_and_as_open_now(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, due_at=AT - DAY)
    find(world.tenant_b, crm, status="resolved", closed_at=AT)
    find(world.tenant_b, crm, status="accepted")
    values = scraped(world.group)
    assert values["version_policy_drift_total", ("acme",)] == 3
    assert values["version_policy_outstanding", ("acme", "high", "new")] == 1
    assert values["version_policy_overdue", ("acme",)] == 1


def test_the_compliance_rate_is_the_one_that_people_see(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm)
    find(world.tenant_a, factories.plugin(world.group, "odd"))
    rate = scraped(world.group)["version_policy_compliance_rate", ("acme",)]
    assert rate == compliance.rate(world.access(world.owner)).share == 0.5


def test_enforcements_are_counted_by_outcome(world: World, crm: Plugin) -> None:
    upgrades.move(task(world.tenant_a, crm, "verifying"), Status.SUCCEEDED, actor=SYSTEM, at=AT)
    upgrades.move(task(world.tenant_a, crm, "running"), Status.GIVEN_UP, actor=SYSTEM, at=AT)
    task(world.tenant_a, crm, "cancelled")
    task(world.tenant_a, crm, "queued")
    values = scraped(world.group)
    for outcome in ("succeeded", "given_up", "cancelled"):
        assert values["version_policy_enforced_total", ("acme", outcome)] == 1
    assert values["version_policy_tasks", ("acme", "queued")] == 1


def test_the_count_of_an_outcome_never_falls(world: World, crm: Plugin) -> None:
    late = task(world.tenant_a, crm, "verifying")
    upgrades.move(late, Status.VERIFY_FAILED, actor=SYSTEM, at=AT)
    upgrades.move(late, Status.SUCCEEDED, actor=SYSTEM, at=AT)
    values = scraped(world.group)
    assert values["version_policy_enforced_total", ("acme", "verify_failed")] == 1
    assert values["version_policy_enforced_total", ("acme", "succeeded")] == 1


def test_a_run_that_failed_and_was_taken_up_again_still_counts_as_failed(world: World) -> None:
    run = Run.objects.create(group=world.group, number=1, trigger="hand", started_by_name="x", started_at=AT)
    data = {"status": "failed"}
    ledger.record(Action.RUN_FINISHED, subject=run, actor=SYSTEM, at=AT, data=data)
    assert scraped(world.group)["version_policy_runs_total", ("acme", "failed")] == 1


def test_conflicts_are_counted_as_ever_found_and_as_waiting(world: World, crm: Plugin) -> None:
    for number, status in enumerate(["open", "decided", "closed"]):
        Conflict.objects.create(
            group=world.group, fingerprint=str(number), plugin=crm, explanation={}, found_at=AT, status=status
        )
    values = scraped(world.group)
    assert values["version_policy_conflict_total", ("acme",)] == 3
    assert values["version_policy_conflicts_waiting", ("acme",)] == 1


def test_what_waits_has_an_age(world: World, crm: Plugin) -> None:
    task(world.tenant_a, crm, "queued", created_at=AT - HOUR)
    outbox.post(Destination.EMAIL, {}, group_id=world.group.pk, idempotency_key="k", at=AT - 2 * HOUR)
    Snapshot.objects.create(
        group=world.group, number=1, sealed_at=AT - 3 * HOUR, tenants=0, installations=0, opened=0, closed=0
    )
    values = scraped(world.group)
    assert values["version_policy_queue_age_seconds", ("acme",)] == 3600
    assert values["version_policy_outbox_age_seconds", ("acme",)] == 7200
    assert values["version_policy_snapshot_age_seconds", ("acme",)] == 10800
    assert values["version_policy_outbox_messages", ("email", "acme", "pending")] == 1


def test_messages_given_up_and_reports_that_failed_are_seen(world: World) -> None:
    outbox.post(Destination.NOTIFY, {}, group_id=world.group.pk, idempotency_key="k", at=AT)
    OutboxMessage.objects.update(status="dead")
    compliance.request(world.group, actor=SYSTEM, at=AT)
    Report.objects.update(status="failed")
    values = scraped(world.group)
    assert values["version_policy_outbox_messages", ("notify", "acme", "dead")] == 1
    assert values["version_policy_reports", ("acme", "failed")] == 1


def test_a_group_where_nothing_happened_has_zeros_where_alerts_look(world: World) -> None:
    values = scraped(world.group)
    for name in ("drift_total", "conflict_total", "overdue", "queue_age_seconds", "outbox_age_seconds"):
        assert values[f"version_policy_{name}", ("acme",)] == 0
    assert values["version_policy_enforced_total", ("acme", "given_up")] == 0
    assert values["version_policy_runs_total", ("acme", "failed")] == 0
    assert values["version_policy_compliance_rate", ("acme",)] == 1


def test_a_scrape_costs_the_same_however_many_groups(
    world: World, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20):
        scraped(*Group.objects.all())


def test_a_token_sees_its_own_group_only(client: Client, world: World) -> None:
    secret = reach.issue_token(
        world.group, name="prometheus", scopes=[Permission.METRICS_READ], actor=SYSTEM, at=AT
    )
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert 'version_policy_compliance_rate{group="acme"}' in text
    assert "elsewhere" not in text


def test_another_scope_a_wrong_token_and_nobody_are_refused(client: Client, world: World) -> None:
    secret = reach.issue_token(world.group, name="x", scopes=[Permission.LEDGER_VIEW], actor=SYSTEM, at=AT)
    for headers in ({"Authorization": f"Bearer {secret}"}, {"Authorization": "Bearer nonsense"}, {}):
        answer = client.get("/metrics", headers=headers)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="plumbline"')


def test_an_owner_may_look_and_nobody_else(client: Client, world: World) -> None:
    for user, status in ((world.owner, 200), (world.viewer, 401), (world.tenant_admin, 401)):
        client.force_login(user)
        assert client.get("/metrics").status_code == status


def test_the_alert_rules_ask_for_metrics_that_there_are(world: World, crm: Plugin) -> None:
    rules = yaml.safe_load((BASE_DIR / "ops" / "alerts.yml").read_text())
    given = {
        name
        for family in text_string_to_metric_families(metrics.scrape([world.group.pk], at=AT).decode())
        for name in (family.name, f"{family.name}_total")
    }
    for rule in rules["groups"][0]["rules"]:
        asked = set(re.findall(r"version_policy_\w+", rule["expr"]))
        assert asked, rule["alert"]
        assert asked <= given, rule["alert"]


@pytest.fixture
def loop(world: World, crm: Plugin) -> World:
    """A manifest brought drift to tenant-b, a plan was made of it, and a manifest proved it done."""
    Manifest.objects.create(
        group=world.group,
        tenant=world.tenant_b,
        inventory=Inventory.objects.create(digest="x", plugins={}, size=0),
        observed_at=AT,
        received_at=AT,
        source="endpoint",
    )
    behind = factories.release(crm, "2.3.0")
    Installation.objects.create(group=world.group, tenant=world.tenant_b, plugin=crm, release=behind, since=2)
    find(world.tenant_b, crm, release=behind, opened_snapshot=2, opened_at=AT + timedelta(seconds=2))
    find(world.tenant_a, crm, opened_snapshot=2, opened_at=AT)  # came with a policy, not with a manifest
    task(
        world.tenant_b,
        crm,
        "succeeded",
        created_at=AT + timedelta(seconds=10),
        dispatched_at=AT + timedelta(seconds=11),
        finished_at=AT + timedelta(seconds=40),
    )
    return world


def test_the_loops_latencies_are_measured_from_stage_to_stage(loop: World) -> None:
    found = workflow(loop.group, at=AT + HOUR, period=DAY).latencies
    assert found["manifest_to_finding"] == Latency(1, 2.0, 2.0, 2.0)
    assert found["finding_to_plan"] == Latency(1, 8.0, 8.0, 8.0)
    assert found["plan_to_dispatch"] == Latency(1, 1.0, 1.0, 1.0)
    assert found["plan_to_verified"] == Latency(1, 30.0, 30.0, 30.0)


def test_the_success_rate_leaves_out_what_was_cancelled(loop: World, crm: Plugin) -> None:
    task(loop.tenant_a, crm, "given_up", finished_at=AT)
    task(loop.tenant_a, crm, "cancelled", finished_at=AT)
    assert workflow(loop.group, at=AT + HOUR, period=DAY).success_rate == 0.5


def test_what_is_older_than_the_period_does_not_count(loop: World) -> None:
    found = workflow(loop.group, at=AT + 9 * DAY, period=DAY)
    assert {latency.count for latency in found.latencies.values()} == {0}
    assert found.success_rate is None


def test_what_waits_now_is_counted_with_its_age(loop: World, crm: Plugin) -> None:
    task(loop.tenant_a, crm, "queued")
    found = workflow(loop.group, at=AT + HOUR, period=DAY)
    assert (found.queued, found.queue_age) == (1, 3600.0)


def test_the_command_gives_the_figures_as_json_by_group(
    loop: World, capsys: pytest.CaptureFixture[str]
) -> None:
    Run.objects.create(group=loop.group, number=1, trigger="hand", started_by_name="x", started_at=AT)
    call_command("workflow_metrics", "--json", "--days", "3650")
    answer = json.loads(capsys.readouterr().out)
    assert sorted(answer) == ["acme", "elsewhere"]
    assert answer["acme"]["latencies"]["plan_to_verified"]["median"] == 30.0
    assert answer["acme"]["success_rate"] == 1.0
    assert answer["acme"]["runs"] == {"running": 1}


def test_the_command_gives_the_figures_in_words(loop: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("workflow_metrics", "--group", "acme", "--days", "3650")
    shown = capsys.readouterr().out
    assert "plan to verified" in shown
    assert "1 succeeded (100 % succeeded)" in shown
    assert "elsewhere" not in shown
