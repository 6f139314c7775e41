"""The measured stages, each run in a process of its own inside a throwaway installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection, transaction

from config.access import SYSTEM
from demo.benchmarks import comparing, filling, rivals, yardstick
from demo.benchmarks.fleet import Fleet
from demo.benchmarks.world import AT
from governance import decisions, drafting, drift, manifests, policies, simulation
from governance.manifest_formats import ManifestDocument
from governance.models import Finding, Manifest, Policy, Rule
from tenants.models import Group

Figures = dict[str, Any]
TENANTS = 40  # that change, one after the other
SOON = timedelta(minutes=1)


def fill(fleet: Fleet) -> Figures:
    """Generate and load; not measured against anything, but told."""
    figures: Figures = {"seconds": {}}
    for name, load in {
        "catalogue": filling.catalogue_and_group,
        "tenants": filling.tenants,
        "policies": filling.rules,
    }.items():
        begun = time.perf_counter()
        figures[name] = load(fleet)
        figures["seconds"][name] = _since(begun)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")  # as autovacuum does some minutes after a load
    return figures


def detect(_: Fleet) -> Figures:
    """Full detection into an empty table; once more with nothing to do; and into an empty table once more.

    The first is what a process that has just begun takes, the last what a worker takes that has run for long.
    """
    group = _group()
    _forget(group)
    begun = time.perf_counter()
    found = drift.detect(group, at=AT)
    seconds = _since(begun)
    begun = time.perf_counter()
    drift.detect(group, at=AT)
    again = _since(begun)
    _forget(group)
    begun = time.perf_counter()
    once_more = drift.detect(group, at=AT)
    warm = _since(begun)
    if once_more.opened != found.opened:
        raise AssertionError(f"{once_more.opened} findings were opened, where {found.opened} were before.")
    installations = _scalar("SELECT count(*) FROM governance_installation WHERE until IS NULL")
    drifting = _scalar(
        "SELECT count(*) FROM (SELECT DISTINCT tenant_id, plugin_id FROM governance_finding"
        " WHERE closed_at IS NULL AND status <> 'accepted') AS one"
    )
    return {
        "seconds": seconds,
        "again": again,
        "warm": warm,
        "findings": found.opened,
        "installations": installations,
        "drift_share": round(drifting / installations, 4),
    }


def evaluate(_: Fleet) -> Figures:
    """Everything decided, and decided again with nothing changed."""
    group = _group()
    result = decisions.evaluate(group, at=AT, actor=SYSTEM)
    again = decisions.evaluate(group, at=AT, actor=SYSTEM)
    return {
        "seconds": round(result.seconds, 3),
        "again": round(again.seconds, 3),
        **result.figures(),
    }


def draft(_: Fleet) -> Figures:
    """The tasks of a plan put together, as every run does after evaluation; none is kept."""
    inputs = drafting.acting_inputs(_group(), policy_names=(), tenant_ids=None, at=AT)
    begun = time.perf_counter()
    with transaction.atomic():
        tasks = drafting.draft_tasks(inputs, retry=False)
    return {"seconds": _since(begun), "tasks": len(tasks)}


def tenant(_: Fleet) -> Figures:
    """One tenant's changed manifest after the other, until its findings are written, and its decisions."""
    group = _group()
    newest = Manifest.objects.filter(group=group).select_related("tenant", "inventory").order_by("tenant_id")
    findings, decided, changed = [], [], 0
    for number, manifest in enumerate(newest[: TENANTS + 1]):
        document = _changed(manifest)
        at = AT + SOON
        begun = time.perf_counter()
        with transaction.atomic():
            taken = manifests.ingest(group, [document], actor=SYSTEM, at=at)
            found = drift.detect(group, at=at, tenant_ids=taken.current_tenant_ids)
        found_after = time.perf_counter()
        decisions.evaluate(group, at=at, actor=SYSTEM, tenant_ids=found.concerns(taken.changed_tenant_ids))
        if number:  # the first one warms up the process
            findings.append(1000 * (found_after - begun))
            decided.append(1000 * (time.perf_counter() - begun))
            changed += found.changed
    return {
        "tenants": len(findings),
        "with_changed_findings": changed,
        "milliseconds": _spread(findings),
        "milliseconds_to_decisions": _spread(decided),
    }


def policy(_: Fleet) -> Figures:
    """One policy's text changed: until its findings are written, and until all is decided anew."""
    group = _group()
    document = _edited(group)
    at = AT + SOON
    begun = time.perf_counter()
    with transaction.atomic():
        version = policies.draft_version(group, document, actor=SYSTEM, at=at)
        policies.put_in_force(version, actor=SYSTEM, at=at)
        found = drift.detect(group, at=at, policy_ids=[version.policy_id])
    seconds = _since(begun)
    result = decisions.evaluate(group, at=at, actor=SYSTEM)
    return {
        "policy": document["name"],
        "seconds": seconds,
        "seconds_to_decisions": round(seconds + result.seconds, 3),
        **found.figures(),
    }


def simulate(_: Fleet) -> Figures:
    """An edit of a policy tried on the whole fleet, with nothing done; it is what `policy` puts in force."""
    return _simulated()


def simulate_further(_: Fleet) -> Figures:
    """The edit that would come next, which puts more at odds than the first."""
    return _simulated()


def _simulated() -> Figures:
    group = _group()
    document = _edited(group)
    begun = time.perf_counter()
    kept = simulation.simulate(group, policies=[document], at=AT + 2 * SOON, actor=SYSTEM)
    seconds = _since(begun)
    outcome = kept.outcome
    return {
        "seconds": seconds,
        "opened": outcome["difference"]["opened"],
        "closed": outcome["difference"]["closed"],
        "conflicts": len(outcome["conflicts"]),
    }


WORK = (evaluate, draft, tenant, simulate, policy, simulate_further)


def work(fleet: Fleet) -> Figures:
    """What a worker does, one thing after the other; as workers do, it remembers what it decided lately."""
    return {"parts": {stage.__name__: stage(fleet) for stage in WORK}}


STAGES: Mapping[str, Callable[[Fleet], Figures]] = {
    "fill": fill,
    "yardstick": lambda _: yardstick.measure(),
    "detect": detect,
    "duckdb": lambda _: rivals.with_duckdb(),
    "polars": lambda _: rivals.with_polars(),
    "work": work,
    "alone": lambda _: comparing.alone(),
    "plans": lambda _: comparing.plans(),
}
# These are compared, so they are measured in turns: a machine that is slower for a minute is so for each.
COMPARED = ("yardstick", "detect", "duckdb", "polars")


def _group() -> Group:
    return Group.objects.get(slug=filling.SLUG)


def _since(begun: float) -> float:
    return round(time.perf_counter() - begun, 3)


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(median(ordered), 1),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "most": round(ordered[-1], 1),
    }


def _scalar(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _forget(group: Group) -> None:
    """Empty the findings, as if nothing had ever been detected."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Finding._meta.db_table}")
    Rule.objects.filter(group=group).update(detected=False)


def _changed(manifest: Manifest) -> ManifestDocument:
    """Some plugins at the version that another tenant has: some drift comes, some goes."""
    plugins = dict(manifest.inventory.plugins)
    others = Manifest.objects.filter(group_id=manifest.group_id).exclude(inventory=manifest.inventory_id)
    other = others.select_related("inventory").order_by("tenant_id")[manifest.tenant_id % 50]
    shared = sorted(name for name in plugins if name in other.inventory.plugins)[::7]
    return ManifestDocument(
        tenant=manifest.tenant.key,
        host_version=manifest.inventory.host_version,
        plugins=plugins | {name: other.inventory.plugins[name] for name in shared},
        observed_at=AT + SOON,
        source="benchmark",
    )


def _edited(group: Group) -> dict[str, Any]:
    """A policy for all tenants that asks a release more of the newest line."""
    named = Policy.objects.filter(group=group, name__startswith="floor-").order_by("name")
    [document] = [
        one.current.document for one in named if one.current and one.current.document["tenants"] == "*"
    ][1:2]
    first, *rest = document["rules"]
    variants = first.get("variants", [])
    stricter = {**first, "variants": variants[:-1]} if variants else {**first, "severity": "high"}
    return {**document, "rules": [stricter, *rest]}
