"""Snapshots as they are sealed and compared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import manifests, snapshots
from governance.manifest_formats import ManifestDocument
from governance.models import Snapshot
from governance.models.snapshot import Trigger
from tenants.models import Group
from tests import factories
from tests.factories import AT, World

PLUGINS = {
    "crm": ["2.3.0", "2.4.0"],
    "mail": ["1.0.0", "1.1.0"],
    "fax": ["1.0.0"],
    "wiki": ["1.0.0"],
    "chat": ["1.0.0"],
}


@pytest.fixture(autouse=True)
def catalogue(world: World) -> None:
    for name, releases in PLUGINS.items():
        factories.plugin(world.group, name, releases)


def told(world: World, minute: int, plugins: dict[str, str], tenant: str = "tenant-a") -> None:
    document = ManifestDocument(tenant, "", plugins, AT + timedelta(minutes=minute))
    result = manifests.ingest(world.group, [document], actor=SYSTEM, at=AT + timedelta(hours=1))
    assert not result.refused


def seal(world: World, **more: Any) -> Snapshot:
    return snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT, **more)


def changes(world: World, older: int, newer: int, **filters: Any) -> list[tuple[Any, ...]]:
    rows = (
        snapshots.compare(world.group.pk, older, newer)
        .filter(**filters)
        .order_by("tenant__key", "plugin__name")
    )
    return list(rows.values_list("tenant__key", "plugin__name", "from_version", "to_version", "kind"))


def test_a_seal_gives_the_state_a_number_a_time_and_counts(world: World) -> None:
    told(world, 0, {"crm": "2.3.0", "mail": "1.0.0"})
    told(world, 0, {"crm": "2.4.0"}, "tenant-b")
    first = seal(world)
    assert (first.number, first.sealed_at, first.trigger, first.actor_name) == (1, AT, "hand", "plumbline")
    assert (first.tenants, first.installations, first.opened, first.closed) == (2, 3, 3, 0)
    assert (first.drifting, first.compliant_tenants) == (None, None)
    told(world, 1, {"crm": "2.4.0"})
    second = seal(world)
    assert (second.number, second.tenants, second.installations) == (2, 2, 2)
    assert (second.opened, second.closed) == (1, 2)


def test_a_seal_is_recorded_with_its_digest(world: World) -> None:
    told(world, 0, {"crm": "2.3.0"})
    sealed = seal(world)
    entry = Entry.objects.get(group_id=world.group.pk, action=Action.SNAPSHOT_SEALED)
    assert (entry.subject_label, entry.data["digest"]) == ("#1", sealed.digest)


def test_nothing_new_gives_the_last_snapshot_again(world: World) -> None:
    told(world, 0, {"crm": "2.3.0"})
    first = seal(world)
    assert seal(world) == first
    told(world, 1, {"crm": "2.4.0"})
    told(world, 2, {"crm": "2.3.0"})
    assert seal(world) == first
    assert Snapshot.objects.filter(group=world.group).count() == 1
    assert Entry.objects.filter(action=Action.SNAPSHOT_SEALED).count() == 1


def test_a_seal_may_be_forced(world: World) -> None:
    told(world, 0, {"crm": "2.3.0"})
    seal(world)
    forced = seal(world, force=True)
    assert (forced.number, forced.opened, forced.closed, forced.installations) == (2, 0, 0, 1)


def test_an_empty_group_has_a_first_snapshot(world: World) -> None:
    sealed = seal(world)
    assert (sealed.number, sealed.tenants, sealed.installations) == (1, 0, 0)


def test_a_past_state_is_sealed_at_its_own_time(world: World) -> None:
    past = AT - timedelta(days=900)
    sealed = snapshots.seal(world.group, trigger=Trigger.HISTORY, actor=SYSTEM, at=AT, sealed_at=past)
    assert sealed.sealed_at == past
    assert Entry.objects.get(action=Action.SNAPSHOT_SEALED).at == AT


def test_equal_histories_have_equal_digests_and_different_ones_have_not(world: World) -> None:
    other = Group.objects.get(slug="elsewhere")
    factories.plugin(other, "crm", ["2.3.0", "2.4.0"])
    for minute, version in ((0, "2.3.0"), (1, "2.4.0")):
        document = ManifestDocument("tenant-a", "", {"crm": version}, AT + timedelta(minutes=minute))
        digests = set()
        for group in (world.group, other):
            manifests.ingest(group, [document], actor=SYSTEM, at=AT + timedelta(hours=1))
            digests.add(snapshots.seal(group, trigger=Trigger.HAND, actor=SYSTEM, at=AT).digest)
        assert len(digests) == 1
    manifests.ingest(
        other, [ManifestDocument("tenant-a", "", {}, AT + timedelta(minutes=2))], actor=SYSTEM, at=AT
    )
    assert snapshots.seal(other, trigger=Trigger.HAND, actor=SYSTEM, at=AT).digest not in digests


def test_a_digest_covers_the_snapshot_before(world: World) -> None:
    told(world, 0, {"crm": "2.3.0"})
    first = seal(world)
    second = seal(world, force=True)
    third = seal(world, force=True)
    assert len({first.digest, second.digest, third.digest}) == 3


def test_the_state_of_a_past_snapshot_stays(world: World) -> None:
    told(world, 0, {"crm": "2.3.0"})
    first = seal(world)
    told(world, 1, {"crm": "2.4.0", "mail": "1.0.0"})
    seal(world)
    then = snapshots.state(world.group.pk, first.number)
    now = snapshots.state(world.group.pk, world.group.open_snapshot)
    assert [(row.plugin.name, row.release.version) for row in then] == [("crm", "2.3.0")]
    assert sorted((row.plugin.name, row.release.version) for row in now) == [
        ("crm", "2.4.0"),
        ("mail", "1.0.0"),
    ]


@pytest.fixture
def two(world: World) -> tuple[int, int]:
    """Two snapshots between which everything happens that can."""
    told(world, 0, {"crm": "2.3.0", "mail": "1.1.0", "fax": "1.0.0", "chat": "1.0.0"})
    told(world, 0, {"chat": "1.0.0"}, "tenant-b")
    first = seal(world).number
    told(world, 1, {"crm": "2.3.0", "mail": "1.1.0"})
    seal(world)
    told(world, 2, {"crm": "2.4.0", "mail": "1.0.0", "wiki": "1.0.0", "chat": "1.0.0"})
    return first, seal(world).number


def test_two_snapshots_are_compared_by_tenant_and_plugin(world: World, two: tuple[int, int]) -> None:
    assert changes(world, *two) == [
        ("tenant-a", "crm", "2.3.0", "2.4.0", "upgraded"),
        ("tenant-a", "fax", "1.0.0", None, "removed"),
        ("tenant-a", "mail", "1.1.0", "1.0.0", "downgraded"),
        ("tenant-a", "wiki", None, "1.0.0", "added"),
    ]


def test_compared_the_other_way_round_everything_is_reversed(world: World, two: tuple[int, int]) -> None:
    older, newer = two
    kinds = {plugin: kind for _, plugin, _, _, kind in changes(world, newer, older)}
    assert kinds == {"crm": "downgraded", "fax": "added", "mail": "upgraded", "wiki": "removed"}


def test_a_comparison_is_filtered_and_sorted_in_the_database(world: World, two: tuple[int, int]) -> None:
    assert [row[1] for row in changes(world, *two, kind="removed")] == ["fax"]
    assert [row[1] for row in changes(world, *two, plugin__name__icontains="ai")] == ["mail"]
    rows = snapshots.compare(world.group.pk, *two)
    assert rows.order_by("-kind", "pk").values_list("kind", flat=True).first() == "upgraded"
    assert rows.count() == 4


def test_a_comparison_is_kept_within_reach(world: World, two: tuple[int, int]) -> None:
    told(world, 3, {"crm": "2.3.0"}, "tenant-b")
    number = seal(world).number
    rows = snapshots.compare(world.group.pk, 0, number)
    assert set(rows.values_list("tenant__key", flat=True)) == {"tenant-a", "tenant-b"}
    reached = rows.within(world.access(world.tenant_admin))
    assert set(reached.values_list("tenant__key", flat=True)) == {"tenant-a"}
    assert not rows.filter(group_id=Group.objects.get(slug="elsewhere").pk).exists()


def test_equal_versions_spelt_otherwise_are_told_as_such(world: World) -> None:
    group = factories.group("builds", default_scheme="jenkins")
    factories.tenant(group, "ci")
    numbers = []
    for minute, version in ((0, "2.0"), (1, "2.0.0")):
        document = ManifestDocument("ci", "", {"git": version}, AT + timedelta(minutes=minute))
        manifests.ingest(group, [document], actor=SYSTEM, at=AT + timedelta(hours=1))
        numbers.append(snapshots.seal(group, trigger=Trigger.HAND, actor=SYSTEM, at=AT).number)
    rows = snapshots.compare(group.pk, *numbers)
    assert list(rows.values_list("kind", flat=True)) == ["respelt"]
