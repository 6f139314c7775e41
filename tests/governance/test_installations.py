"""What is installed, however the manifests came: in any order, in any batches, between any seals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import manifests, snapshots
from governance.manifest_formats import ManifestDocument
from governance.models import Installation, Manifest, Release
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World

RolledBack = Callable[[], AbstractContextManager[None]]
State = dict[tuple[str, str], str]

documents = st.builds(
    lambda tenant, minute, host, plugins, complete: ManifestDocument(
        tenant, host, plugins, AT - timedelta(minutes=minute), complete
    ),
    tenant=st.sampled_from(["tenant-a", "tenant-b"]),
    minute=st.integers(0, 4),
    host=st.sampled_from(["", "5.0.0", "5.1.0"]),
    plugins=st.dictionaries(st.sampled_from(["crm", "mail"]), st.sampled_from(["1.0.0", "2.0.0", "3.0.0"])),
    complete=st.booleans(),
)
histories = st.lists(documents, min_size=1, max_size=6)
many_examples = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def _known(world: World) -> None:
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0"])


def ingest(world: World, batch: Sequence[ManifestDocument]) -> None:
    result = manifests.ingest(world.group, batch, actor=SYSTEM, at=AT)
    assert not result.refused


def batches(listed: Sequence[ManifestDocument], sizes: Iterator[int]) -> Iterator[Sequence[ManifestDocument]]:
    start = 0
    while start < len(listed):
        size = next(sizes)
        yield listed[start : start + size]
        start += size


def final_state(world: World) -> tuple[Any, ...]:
    installed = Installation.objects.filter(group=world.group).values_list(
        "tenant__key", "plugin__name", "release__version", "since", "until"
    )
    stored = Manifest.objects.filter(group=world.group).values_list(
        "tenant__key", "observed_at", "inventory", "complete"
    )
    known = Release.objects.filter(group=world.group).values_list(
        "plugin__name", "version", "rank", "catalogued"
    )
    return sorted(installed), sorted(stored), sorted(known)


def current(world: World) -> State:
    rows = Installation.objects.current().filter(group=world.group)
    listed = rows.values_list("tenant__key", "plugin__name", "release__version")
    return {(tenant, plugin): version for tenant, plugin, version in listed}


@pytest.mark.usefixtures("_known")
@many_examples
@given(history=histories, data=st.data())
def test_any_order_and_batching_gives_the_same_final_state(
    world: World, rolled_back: RolledBack, history: list[ManifestDocument], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=len(history), max_size=len(history)))
    with rolled_back():
        for document in sorted(history, key=lambda one: one.observed_at or AT):
            ingest(world, [document])
        in_order = final_state(world)
    with rolled_back():
        for batch in batches(shuffled, iter(sizes)):
            ingest(world, batch)
        assert final_state(world) == in_order


@pytest.mark.usefixtures("_known")
@many_examples
@given(history=histories, seals=st.lists(st.booleans(), min_size=8, max_size=8))
def test_every_snapshot_keeps_the_state_at_its_seal(
    world: World, rolled_back: RolledBack, history: list[ManifestDocument], seals: list[bool]
) -> None:
    with rolled_back():
        sealed: dict[int, State] = {}
        for document, seal in zip(history, seals, strict=False):
            ingest(world, [document])
            if seal:
                snapshot = snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
                assert snapshot.installations == len(current(world))
                assert snapshot.tenants == len({tenant for tenant, _ in current(world)})
                sealed[snapshot.number] = current(world)
        for number, state in sealed.items():
            rows = snapshots.state(world.group.pk, number)
            assert {(row.tenant.key, row.plugin.name): row.release.version for row in rows} == state
        assert_shortest(world)


def assert_shortest(world: World) -> None:
    """No row goes on where one of the same release ended."""
    ends = Installation.objects.filter(group=world.group, until__isnull=False)
    ended = set(ends.values_list("tenant", "release", "until"))
    begun = set(Installation.objects.filter(group=world.group).values_list("tenant", "release", "since"))
    assert not ended & begun


@pytest.mark.usefixtures("_known")
@many_examples
@given(history=histories, data=st.data())
def test_comparing_two_snapshots_tells_exactly_what_differs(
    world: World, rolled_back: RolledBack, history: list[ManifestDocument], data: st.DataObject
) -> None:
    with rolled_back():
        states: dict[int, State] = {0: {}}
        for document in history:
            ingest(world, [document])
            number = snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT).number
            states[number] = current(world)
        older = data.draw(st.sampled_from(sorted(states)))
        newer = data.draw(st.sampled_from(sorted(states)))
        before, after = states[older], states[newer]
        expected = {
            key: (before.get(key), after.get(key))
            for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)
        }
        rows: Any = snapshots.compare(world.group.pk, older, newer)
        told = {(row.tenant.key, row.plugin.name): (row.from_version, row.to_version) for row in rows}
        assert told == expected
        assert len(rows) == len(expected)
