"""Ingest, seal and simulations at the same time, in connections of their own that commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker

from config.access import SYSTEM
from governance import catalogue, drift, locks, manifests, policies, simulation, snapshots
from governance.manifest_formats import ManifestDocument
from governance.models import Inventory, Manifest, Plugin, Policy, PolicyVersion, Release, Snapshot, Violation
from governance.models.rule import Selection
from governance.models.snapshot import Installation, Trigger
from governance.simulation import weighing
from tenants import groups
from tenants.models import Group, Tenant
from tests.factories import AT

PATIENCE_SECONDS = 20.0


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Stands in for the usual one, which would roll back: other connections must see what is done here."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture
def group(db: None) -> Iterator[Group]:
    """A committed group, taken away again by hand."""
    made = groups.create_group(slug="at-once", name="At once", actor=SYSTEM, at=AT)
    groups.add_tenants(made, [groups.NewTenant("a"), groups.NewTenant("b")], actor=SYSTEM, at=AT)
    made_id = made.pk
    yield made
    Policy.objects.filter(group=made).update(current=None)
    for model in (Policy, Selection, Installation, Manifest, Release, Plugin, Snapshot, Tenant):
        model._default_manager.filter(group=made).delete()
    Inventory.objects.all().delete()  # nothing else commits any
    Group.objects.filter(pk=made.pk).delete()
    with connection.cursor() as cursor:  # a ledger lets nothing go; for other tests it must
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_entry WHERE group_id = %s", [made_id])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def ingest(group: Group, tenant: str, *versions: str, minute: int = 0) -> None:
    documents = [
        ManifestDocument(tenant, "", {f"crm-{place}": version}, AT + timedelta(minutes=minute))
        for place, version in enumerate(versions)
    ]
    manifests.ingest(group, documents, actor=SYSTEM, at=AT + timedelta(hours=1))


def seal(group: Group) -> Snapshot:
    return snapshots.seal(group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)


def load(group: Group, plugin: str) -> None:
    document = {"plugin": plugin, "scheme": "semver", "releases": [{"version": "1.0.0"}]}
    catalogue.load(group, [document], actor=SYSTEM, at=AT)


@transaction.atomic
def first_version(group: Group) -> PolicyVersion:
    """At least 2.0.0 of crm, not in force."""
    catalogue.resolve_releases(group.pk, {("crm", "1.5.0")})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.0.0"}
    policy = {"name": "core", "tenants": "*", "rules": [rule]}
    return policies.draft_version(group, policy, actor=SYSTEM, at=AT)


def beside(work: Callable[[], object]) -> Callable[[], None]:
    """Begin the work in another connection; the answer waits for its end, and its failure is the test's."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()

    def finish() -> None:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        assert not failures, failures

    return finish


def wait_until_one_waits() -> None:
    """Until some connection to this database waits for another one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # or it is seen as at the first look
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_seal_waits_for_an_ingest_that_has_begun_and_has_all_of_it(group: Group) -> None:
    sealed: list[Snapshot] = []
    with transaction.atomic():
        ingest(group, "a", "1.0.0")
        finish = beside(lambda: sealed.append(seal(group)))
        wait_until_one_waits()
        assert sealed == []
    finish()
    assert (sealed[0].number, sealed[0].opened) == (1, 1)


def test_an_ingest_waits_for_a_seal_and_counts_for_the_next_one(group: Group) -> None:
    ingest(group, "a", "1.0.0")
    with transaction.atomic():
        first = seal(group)
        finish = beside(lambda: ingest(group, "b", "1.0.0"))
        wait_until_one_waits()
    finish()
    assert (first.opened, seal(group).opened) == (1, 1)
    assert set(Installation.objects.filter(group=group).values_list("tenant__key", "since")) == {
        ("a", 1),
        ("b", 2),
    }


def test_two_ingests_of_one_tenant_come_one_after_the_other(group: Group) -> None:
    with transaction.atomic():
        ingest(group, "a", "1.0.0", minute=2)
        finish = beside(lambda: ingest(group, "a", "2.0.0", minute=1))
        wait_until_one_waits()
    finish()
    current = Installation.objects.current().filter(group=group)
    assert list(current.values_list("release__version", flat=True)) == ["1.0.0"]
    assert Manifest.objects.filter(group=group).count() == 2


def test_releases_made_at_once_are_ranked_in_view_of_each_other(group: Group) -> None:
    catalogue.resolve_releases(group.pk, {("crm", "2.0.0")})
    with transaction.atomic():
        catalogue.resolve_releases(group.pk, {("crm", "1.0.0"), ("crm", "3.0.0")})
        wanted = {("crm", "1.0.0"), ("crm", "2.5.0")}
        finish = beside(lambda: catalogue.resolve_releases(group.pk, wanted))
        wait_until_one_waits()
    finish()
    ranked = Release.objects.filter(group=group).order_by("rank").values_list("version", "rank")
    assert list(ranked) == [("1.0.0", 0), ("2.0.0", 1), ("2.5.0", 2), ("3.0.0", 3)]


def test_the_first_rules_see_all_of_a_catalogue_that_is_loaded_at_the_same_time(group: Group) -> None:
    version = first_version(group)

    def put_in_force() -> None:
        with transaction.atomic():
            policies.put_in_force(version, actor=SYSTEM, at=AT)

    with transaction.atomic():
        load(group, "crm")
        finish = beside(put_in_force)
        wait_until_one_waits()
    finish()
    broken = Violation.objects.filter(rule__group=group).order_by("release__version")
    assert list(broken.values_list("release__version", flat=True)) == ["1.0.0", "1.5.0"]


def test_a_catalogue_that_waited_for_the_first_rules_is_left_for_them_to_be_compiled(group: Group) -> None:
    version = first_version(group)
    with transaction.atomic():
        policies.put_in_force(version, actor=SYSTEM, at=AT)
        finish = beside(lambda: load(group, "mail"))
        wait_until_one_waits()
    finish()
    assert not Release.objects.get(group=group, plugin__name="mail").compiled


def test_a_catalogue_waits_for_nobody_who_has_a_release_in_hand(group: Group) -> None:
    catalogue.resolve_releases(group.pk, {("crm", "1.5.0")})
    with transaction.atomic():
        Release.objects.select_for_update().get(group=group)
        beside(lambda: load(group, "mail"))()
    compiled = Release.objects.filter(group=group).values_list("plugin__name", "compiled")
    assert dict(compiled) == {"crm": False, "mail": True}


def test_a_lock_outside_a_transaction_is_refused(group: Group) -> None:
    with pytest.raises(RuntimeError, match="there is none"):
        locks.sealing(group.pk)


@pytest.mark.parametrize("stage", ["weighed_before", "weighed_after", "weighed_done"])
def test_neither_a_manifest_nor_a_seal_waits_for_a_simulation(
    group: Group, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Not even one of a tenant that the simulation lets run something else."""
    for minute, version in enumerate(["1.5.0", "1.0.0"], start=-1):
        ingest(group, "a", version, minute=minute)
    ingest(group, "b", "2.0.0")
    Release.objects.filter(group=group).update(catalogued=True, released_at=AT - timedelta(days=9))
    drift.detect(group, at=AT)
    weigh, sealed = weighing.weigh, []

    def meanwhile() -> None:
        ingest(group, "a", "1.5.0", minute=1)
        sealed.append(seal(group).number)

    def weigh_while_others_work(scene: weighing.Scene, name: str, **more: Any) -> weighing.Weighing:
        if name.startswith(stage) and not sealed:
            beside(meanwhile)()
        return weigh(scene, name, **more)

    monkeypatch.setattr(weighing, "weigh", weigh_while_others_work)
    rule = {"name": "crm", "plugins": ["crm-0"], "at_least": "2.0.0"}
    align = {"name": "align", "kind": "policy", "profile": "steady", "tenants": "*", "rules": [rule]}
    with transaction.atomic():  # as a request is
        kept = simulation.simulate(
            group, policies=[align], profiles=[{"name": "steady", "mode": "enforce"}], at=AT, actor=SYSTEM
        )
    assert sealed == [1]
    assert [(one["from"], one["to"]) for one in kept.outcome["actions"]] == [("1.5.0", "2.0.0")]
    assert (kept.outcome["after"]["drift"], kept.outcome["done"]["drift"]) == (1, 0)
    current = Installation.objects.current().filter(group=group)
    assert set(current.values_list("release__version", flat=True)) == {"1.5.0", "2.0.0"}
