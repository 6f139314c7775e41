"""Manifests as they are taken, refused, repeated and overtaken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import drift, manifests, snapshots
from governance.manifest_formats import Judged, ManifestDocument, ManifestRefused
from governance.manifests import IngestResult
from governance.models import Installation, Inventory, Manifest, Plugin, Release
from governance.models.snapshot import Trigger
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World


def told(
    plugins: dict[str, str] | None = None,
    *,
    tenant: str = "tenant-a",
    host: str = "",
    at: datetime | None = AT,
    complete: bool = True,
) -> ManifestDocument:
    return ManifestDocument(tenant, host, plugins or {}, at, complete)


def ingest(world: World, *documents: Judged, at: datetime = AT) -> IngestResult:
    return manifests.ingest(world.group, documents, actor=SYSTEM, at=at)


def seal(world: World) -> int:
    return snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT).number


def runs(tenant: Tenant) -> dict[str, str]:
    rows = Installation.objects.current().filter(tenant=tenant)
    return dict(rows.values_list("plugin__name", "release__version"))


def rows_of(tenant: Tenant) -> list[tuple[Any, ...]]:
    rows = Installation.objects.filter(tenant=tenant).order_by("plugin__name", "since")
    return list(rows.values_list("plugin__name", "release__version", "since", "until"))


def entries(world: World) -> list[Entry]:
    rows = Entry.objects.filter(group_id=world.group.pk, action=Action.MANIFEST_ACCEPTED)
    return list(rows.order_by("sequence"))


@pytest.fixture(autouse=True)
def catalogue(world: World) -> None:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "host", ["5.0.0", "5.1.0"], host=True)


def test_a_manifest_says_what_its_tenant_runs_host_included(world: World) -> None:
    result = ingest(world, told({"crm": "2.4.0"}, host="5.0.0"))
    assert runs(world.tenant_a) == {"crm": "2.4.0", "host": "5.0.0"}
    assert runs(world.tenant_b) == {}
    assert result.changed_tenant_ids == {world.tenant_a.pk}
    (accepted,) = result.accepted
    assert (accepted["tenant"], accepted["changed"], accepted["note"]) == ("tenant-a", True, "")
    stored = Manifest.objects.get(pk=accepted["manifest_id"])
    assert (stored.observed_at, stored.received_at, stored.complete) == (AT, AT, True)
    assert (stored.inventory.host_version, stored.inventory.plugins, stored.inventory.size) == (
        "5.0.0",
        {"crm": "2.4.0"},
        2,
    )


def test_what_a_newer_manifest_does_not_name_is_gone(world: World) -> None:
    ingest(world, told({"crm": "2.4.0", "mail": "1.0.0"}, host="5.0.0"))
    ingest(world, told({"mail": "1.0.0"}, at=AT + timedelta(minutes=1)))
    assert runs(world.tenant_a) == {"mail": "1.0.0"}


def test_a_tenant_may_run_nothing_any_more(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}))
    result = ingest(world, told({}, at=AT + timedelta(minutes=1)))
    assert runs(world.tenant_a) == {}
    assert (result.opened, result.closed) == (0, 1)


def test_the_same_manifest_again_changes_nothing(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}))
    result = ingest(world, told({"crm": "2.4.0"}), at=AT + timedelta(hours=1))
    (accepted,) = result.accepted
    assert (accepted["changed"], accepted["note"]) == (False, "The same manifest was taken before.")
    assert result.changed_tenant_ids == result.current_tenant_ids == frozenset()
    assert Manifest.objects.count() == 1
    assert len(entries(world)) == 1


def test_the_same_manifest_twice_in_a_batch_is_one(world: World) -> None:
    result = ingest(world, told({"crm": "2.4.0"}), told({"crm": "2.4.0"}))
    assert [one["changed"] for one in result.accepted] == [True, False]
    assert result.accepted[0]["manifest_id"] == result.accepted[1]["manifest_id"]


def test_the_same_versions_seen_later_are_a_new_manifest_and_no_news(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}))
    result = ingest(world, told({"crm": "2.4.0"}, at=AT + timedelta(minutes=1)))
    assert result.accepted[0]["note"] == "What runs is as before."
    assert not result.changed_tenant_ids
    assert result.current_tenant_ids == {world.tenant_a.pk}
    assert (Manifest.objects.count(), Inventory.objects.count(), len(entries(world))) == (2, 1, 1)


def test_an_older_manifest_is_kept_as_history_and_changes_nothing_now(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}))
    result = ingest(world, told({"crm": "2.3.0"}, at=AT - timedelta(days=1)))
    assert runs(world.tenant_a) == {"crm": "2.4.0"}
    assert result.accepted[0]["note"] == "Older than the current manifest: kept as history."
    assert result.current_tenant_ids == frozenset()
    assert Manifest.objects.filter(tenant=world.tenant_a).count() == 2
    assert entries(world)[-1].data["history"] == 1


def test_of_two_manifests_of_one_moment_the_greater_digest_wins_in_any_order(world: World) -> None:
    one, other = told({"crm": "2.3.0"}), told({"crm": "2.4.0"})
    ingest(world, one)
    ingest(world, other)
    first = runs(world.tenant_a)
    ingest(world, told({"crm": "2.4.0"}, tenant="tenant-b"))
    ingest(world, told({"crm": "2.3.0"}, tenant="tenant-b"))
    assert runs(world.tenant_b) == first


def test_a_manifest_without_a_time_was_observed_when_it_came(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}, at=None))
    assert Manifest.objects.get().observed_at == AT


def test_manifests_share_their_content(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}), told({"crm": "2.4.0"}, tenant="tenant-b"))
    assert (Manifest.objects.count(), Inventory.objects.count()) == (2, 1)
    assert runs(world.tenant_a) == runs(world.tenant_b) == {"crm": "2.4.0"}


def test_a_manifest_told_as_complete_once_is_complete(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}, complete=False))
    ingest(world, told({"crm": "2.4.0"}))
    ingest(world, told({"crm": "2.4.0"}, complete=False))
    assert Manifest.objects.get().complete


def test_unknown_plugins_and_releases_are_taken_as_not_in_the_catalogue(world: World) -> None:
    ingest(world, told({"crm": "2.4.1", "stray": "0.1.0"}))
    assert runs(world.tenant_a) == {"crm": "2.4.1", "stray": "0.1.0"}
    outside = Release.objects.filter(group=world.group, catalogued=False)
    assert sorted(outside.values_list("version", flat=True)) == ["0.1.0", "2.4.1"]
    assert not Plugin.objects.get(group=world.group, name="stray").catalogued
    ranks = Release.objects.filter(plugin__name="crm", group=world.group).order_by("rank")
    assert list(ranks.values_list("version", flat=True)) == ["2.3.0", "2.4.0", "2.4.1"]


def test_a_host_that_no_catalogue_describes_becomes_one_by_its_manifest(world: World) -> None:
    elsewhere = Tenant.objects.get(group__slug="elsewhere")
    document = told({"crm": "1.0.0"}, host="5.0.0")
    manifests.ingest(elsewhere.group, [document], actor=SYSTEM, at=AT)
    host = Plugin.objects.get(group=elsewhere.group, is_host=True)
    assert (host.name, host.catalogued) == ("host", False)
    assert runs(elsewhere) == {"crm": "1.0.0", "host": "5.0.0"}
    assert runs(world.tenant_a) == {}


REFUSED = [
    (told({"crm": "2.4.0"}, tenant="nobody"), "tenant", "the group has no tenant “nobody”"),
    (told({"crm": "2.4.0"}, tenant="tenant-gone"), "tenant", "takes no part any more"),
    (told({"host": "5.0.0"}), "plugins.host", "belongs in host_version"),
    (told({"crm": "2.4.0"}, at=AT + timedelta(minutes=6)), "observed_at", "in the future"),
    (told({"crm": "newest"}), "plugins.crm", "“newest” is not a version"),
    (told({"stray": "newest"}), "plugins.stray", "(dialect: semver)"),
    (told({"crm": "2.4.0"}, host="five"), "host_version", "“five” is not a version"),
    (ManifestRefused("plugins", "must be given", tenant="tenant-a"), "plugins", "must be given"),
]


@pytest.mark.parametrize(("document", "field", "reason"), REFUSED, ids=[field for _, field, _ in REFUSED])
def test_a_refused_manifest_leaves_nothing_behind(
    world: World, document: Judged, field: str, reason: str
) -> None:
    Tenant.objects.create(group=world.group, key="tenant-gone", active=False)
    releases = Release.objects.count()
    result = ingest(world, document)
    (refused,) = result.refused
    assert (refused["index"], refused["field"]) == (0, field)
    assert reason in refused["reason"]
    assert result.accepted == []
    assert (Manifest.objects.count(), Inventory.objects.count(), Installation.objects.count()) == (0, 0, 0)
    assert Release.objects.count() == releases
    assert entries(world) == []


def test_a_clock_that_is_a_little_ahead_is_borne_with(world: World) -> None:
    assert not ingest(world, told({"crm": "2.4.0"}, at=AT + timedelta(minutes=4))).refused


def test_in_a_batch_each_is_judged_by_itself(world: World) -> None:
    result = ingest(
        world,
        told({"crm": "newest", "fresh": "1.0.0"}),
        told({"crm": "2.4.0"}, tenant="tenant-b"),
        told({"crm": "2.4.0"}, tenant="nobody"),
        told({"crm": "2.3.0"}),
    )
    assert [(one["index"], one["tenant"]) for one in result.accepted] == [(1, "tenant-b"), (3, "tenant-a")]
    assert [(one["index"], one["tenant"]) for one in result.refused] == [(0, "tenant-a"), (2, "nobody")]
    assert not Plugin.objects.filter(name="fresh").exists()
    assert result.accepted_tenant_ids == {world.tenant_a.pk, world.tenant_b.pk}


def test_another_groups_tenant_is_unknown(world: World) -> None:
    Tenant.objects.filter(group__slug="elsewhere").update(key="foreign")
    assert ingest(world, told({"crm": "2.4.0"}, tenant="foreign")).refused[0]["field"] == "tenant"


def test_a_batch_that_changed_something_is_one_ledger_entry(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}), told({"crm": "2.4.0"}, tenant="tenant-b"))
    (entry,) = entries(world)
    assert entry.tenant_id is None
    assert entry.data == {
        "manifests": 2,
        "refused": 0,
        "changed": 2,
        "opened": 2,
        "closed": 0,
        "history": 0,
        "tenants": 2,
    }


def test_a_ledger_entry_on_one_tenant_names_it(world: World) -> None:
    ingest(world, told({"crm": "2.4.0"}))
    assert entries(world)[0].tenant_id == world.tenant_a.pk


def test_a_change_between_two_seals_ends_one_row_and_begins_another(world: World) -> None:
    ingest(world, told({"crm": "2.3.0"}))
    seal(world)
    ingest(world, told({"crm": "2.4.0"}, at=AT + timedelta(minutes=1)))
    assert rows_of(world.tenant_a) == [("crm", "2.3.0", 1, 2), ("crm", "2.4.0", 2, None)]


def test_what_comes_and_goes_between_two_seals_leaves_no_row(world: World) -> None:
    ingest(world, told({"crm": "2.3.0"}))
    seal(world)
    ingest(world, told({"crm": "2.4.0", "mail": "1.0.0"}, at=AT + timedelta(minutes=1)))
    ingest(world, told({"crm": "2.3.0"}, at=AT + timedelta(minutes=2)))
    assert rows_of(world.tenant_a) == [("crm", "2.3.0", 1, None)]


def test_a_row_that_a_snapshot_has_is_never_lost(world: World) -> None:
    ingest(world, told({"crm": "2.3.0"}))
    number = seal(world)
    ingest(world, told({}, at=AT + timedelta(minutes=1)))
    assert list(snapshots.state(world.group.pk, number).values_list("release__version", flat=True)) == [
        "2.3.0"
    ]


def test_one_changed_tenant_costs_few_statements(world: World, django_assert_max_num_queries: Any) -> None:
    factories.policy(world.group, "floor", [{"name": "floor", "plugins": ["crm"], "at_least": "2.4.0"}])
    ingest(world, told({"crm": "2.4.0"}))
    drift.detect(world.group, at=AT)
    with django_assert_max_num_queries(24):
        taken = ingest(world, told({"crm": "2.3.0"}, at=AT + timedelta(minutes=1)))
        found = drift.detect(world.group, at=AT, tenant_ids=taken.current_tenant_ids)
    assert found.opened == 1
