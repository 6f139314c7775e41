"""A generated fleet put into an empty database, set-wise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.access import SYSTEM
from demo import jenkins
from demo.benchmarks.fleet import Fleet, Member
from demo.benchmarks.policies import PROFILES
from demo.benchmarks.world import AT, Inventory, World
from governance import admission, catalogue, installations, policies, profiles, snapshots, staging
from governance.models import Exemption, Manifest, Plugin, Policy, Release
from governance.models.manifest import Inventory as InventoryRow
from governance.models.snapshot import Installation, Trigger
from tenants import groups
from tenants.models import Group, Tenant

SLUG = "benchmark"
_SLICE = 1_000  # tenants at a time


def catalogue_and_group(_: Fleet) -> dict[str, Any]:
    """The group with the real catalogue."""
    group = groups.create_group(
        slug=SLUG,
        name="Benchmark",
        default_scheme=jenkins.SCHEME,
        host_name=jenkins.HOST,
        actor=SYSTEM,
        at=AT,
    )
    return catalogue.load(group, jenkins.documents(), actor=SYSTEM, at=AT).figures()


def tenants(fleet: Fleet) -> dict[str, Any]:
    """The tenants, what they run, and the snapshot of it."""
    group = Group.objects.get(slug=SLUG)
    releases = _Releases(fleet.world, group)
    for members in _slices(fleet.members()):
        _fill(group, members, {one.key: fleet.installed(one) for one in members}, releases)
    staging.look_again(Tenant, Manifest, Installation)
    sealed = snapshots.seal(group, trigger=Trigger.COMMAND, actor=SYSTEM, at=AT)
    return {"tenants": sealed.tenants, "installations": sealed.installations}


def rules(fleet: Fleet) -> dict[str, Any]:
    """The policies in force, with nothing detected yet, and the exemptions."""
    group = Group.objects.get(slug=SLUG)
    with transaction.atomic():
        for profile in PROFILES:
            profiles.save(group, profile, actor=SYSTEM, at=AT)
        for document in fleet.policies:
            version = policies.draft_version(group, document, actor=SYSTEM, at=AT)
            policies.put_in_force(version, actor=SYSTEM, at=AT)
        exempt = fleet.exemptions()
        ids = dict(Policy.objects.filter(group=group).values_list("name", "pk"))
        rows = Tenant.objects.filter(group=group, key__in=[one["tenant"] for one in exempt])
        tenant_ids = dict(rows.values_list("key", "pk"))
        Exemption.objects.bulk_create(
            _exemption(group, tenant_ids[one["tenant"]], ids[one["policy"]]) for one in exempt
        )
    return {"policies": len(ids), "rules": len(fleet.rules), "exemptions": len(exempt)}


def _exemption(group: Group, tenant_id: int, policy_id: int) -> Exemption:
    return Exemption(
        group=group,
        tenant_id=tenant_id,
        policy_id=policy_id,
        reason="Agreed with the project.",
        status=Exemption.Status.APPROVED,
        starts_at=AT,
        expires_at=AT + timedelta(days=90),
        requested_by_name="benchmark",
        requested_at=AT,
        decided_at=AT,
    )


class _Releases:
    """The ids of what inventories name by place."""

    def __init__(self, world: World, group: Group) -> None:
        self._world = world
        self._plugins = dict(Plugin.objects.filter(group=group).values_list("name", "pk"))
        rows = Release.objects.filter(group=group).values_list("plugin_id", "version", "pk")
        self._ids = {(plugin, version): pk for plugin, version, pk in rows}

    def pairs(self, inventory: Inventory) -> list[tuple[int, int]]:
        """Plugin and release ids."""
        return [
            (plugin, self._ids[plugin, self._world.line(name).versions[place]])
            for name, place in inventory.items()
            for plugin in [self._plugins[name]]
        ]

    def texts(self, inventory: Inventory) -> tuple[str, dict[str, str]]:
        """The host's version and the plugins', as a manifest has them."""
        named = {name: self._world.line(name).versions[place] for name, place in inventory.items()}
        return named.pop(jenkins.HOST), named


@transaction.atomic
def _fill(
    group: Group, members: Sequence[Member], installed: dict[str, Inventory], releases: _Releases
) -> None:
    """Tenants with their manifests and installations."""
    alike = {one.alike: installed[one.key] for one in members}
    texts = {name: releases.texts(inventory) for name, inventory in alike.items()}
    digests = {name: admission.digest_of(*text) for name, text in texts.items()}
    _copy(
        Tenant,
        ("group_id", "key", "name", "tier", "labels", "active", "created_at"),
        ((group.pk, m.key, m.key.title(), m.tier, Jsonb(dict(m.labels)), True, AT) for m in members),
    )
    ids = dict(Tenant.objects.filter(group=group, key__in=installed).values_list("key", "pk"))
    _fill_inventories({digests[name]: text for name, text in texts.items()})
    _copy(
        Manifest,
        ("group_id", "tenant_id", "inventory_id", "observed_at", "received_at", "source", "complete"),
        ((group.pk, ids[m.key], digests[m.alike], AT, AT, "benchmark", True) for m in members),
    )
    inventories = {digests[name]: releases.pairs(inventory) for name, inventory in alike.items()}
    installations.replace(group.pk, inventories, {ids[m.key]: digests[m.alike] for m in members})


def _fill_inventories(contents: dict[str, tuple[str, dict[str, str]]]) -> None:
    """What the tenants of this round have and those before didn't, by digest."""
    known = set(InventoryRow.objects.filter(pk__in=contents).values_list("pk", flat=True))
    _copy(
        InventoryRow,
        ("digest", "host_version", "plugins", "size"),
        (
            (digest, host, Jsonb(plugins), len(plugins) + 1)
            for digest, (host, plugins) in contents.items()
            if digest not in known
        ),
    )


def _copy(model: type[Any], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _slices(members: Iterator[Member]) -> Iterator[list[Member]]:
    while some := list(islice(members, _SLICE)):
        yield some
