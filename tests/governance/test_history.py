"""A past that was recorded elsewhere, loaded with its own times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import history, manifests, snapshots
from governance.manifest_formats import ManifestDocument
from governance.models import Installation, Snapshot
from governance.models.snapshot import Trigger
from tests.factories import AT, World


def told(tenant: str, day: int, **plugins: str) -> ManifestDocument:
    return ManifestDocument(tenant, "", plugins, AT - timedelta(days=100 - day), source="history")


PAST = [
    told("tenant-b", 2, crm="2.3.0"),
    told("tenant-a", 1, crm="2.3.0"),
    told("tenant-a", 3, crm="2.4.0"),
    told("tenant-b", 3, crm="2.3.0"),
]


def load(world: World, *documents: ManifestDocument) -> history.Loaded:
    return history.load(world.group, documents or PAST, actor=SYSTEM, at=AT)


def test_each_time_of_the_past_has_its_snapshot(world: World) -> None:
    loaded = load(world)
    assert (loaded.manifests, loaded.snapshots, loaded.refused) == (4, 3, ())
    rows = Snapshot.objects.filter(group=world.group).order_by("number")
    assert [(AT - row.sealed_at).days for row in rows] == [99, 98, 97]
    assert [(row.tenants, row.installations, row.trigger) for row in rows] == [
        (1, 1, Trigger.HISTORY),
        (2, 2, Trigger.HISTORY),
        (2, 2, Trigger.HISTORY),
    ]
    first = snapshots.state(world.group.pk, rows[0].number)
    assert [(row.tenant.key, row.release.version) for row in first] == [("tenant-a", "2.3.0")]


def test_the_ledger_says_when_it_was_loaded_not_when_it_was(world: World) -> None:
    load(world)
    assert {entry.at for entry in Entry.objects.filter(action=Action.SNAPSHOT_SEALED)} == {AT}


def test_a_time_at_which_nothing_changed_has_no_snapshot(world: World) -> None:
    loaded = load(world, told("tenant-a", 1, crm="2.3.0"), told("tenant-a", 2, crm="2.3.0"))
    assert (loaded.manifests, loaded.snapshots) == (2, 1)


def test_the_same_past_again_changes_nothing(world: World) -> None:
    load(world)
    again = load(world)
    assert (again.manifests, again.snapshots) == (4, 0)
    assert Snapshot.objects.filter(group=world.group).count() == 3


def test_a_load_that_was_cut_off_goes_on(world: World) -> None:
    def cut_off(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        history.load(world.group, PAST, actor=SYSTEM, at=AT, progress=cut_off)
    assert Snapshot.objects.filter(group=world.group).count() == 2
    load(world)
    cut = list(Snapshot.objects.filter(group=world.group).values_list("number", "installations"))
    assert sorted(cut) == [(1, 1), (2, 2), (3, 2)]


def test_progress_is_told_in_manifests(world: World) -> None:
    seen: list[int] = []
    history.load(world.group, PAST, actor=SYSTEM, at=AT, progress=seen.append)
    assert seen == [1, 2, 4]


def test_what_is_refused_of_a_past_is_told_and_the_rest_is_taken(world: World) -> None:
    loaded = load(world, told("tenant-a", 1, crm="2.3.0"), told("nobody", 1, crm="1.0.0"), PAST[2])
    assert (loaded.manifests, loaded.snapshots) == (2, 2)
    assert [(one["tenant"], one["field"], one["index"]) for one in loaded.refused] == [
        ("nobody", "tenant", 1)
    ]


def test_a_past_behind_the_present_is_history_only(world: World) -> None:
    now = ManifestDocument("tenant-a", "", {"crm": "9.0.0"}, AT)
    manifests.ingest(world.group, [now], actor=SYSTEM, at=AT)
    loaded = load(world, told("tenant-a", 1, crm="2.3.0"))
    assert (loaded.manifests, loaded.snapshots) == (1, 0)
    current = Installation.objects.current().get(tenant=world.tenant_a)
    assert current.release.version == "9.0.0"


def test_a_manifest_of_the_past_needs_its_time(world: World) -> None:
    with pytest.raises(ValueError, match="needs its time"):
        load(world, ManifestDocument("tenant-a", "", {"crm": "1.0.0"}))
