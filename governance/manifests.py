"""Manifests as they are taken: each judged by itself, the batch stored as a set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import admission, catalogue, installations, locks, staging
from governance.admission import Admitted
from governance.manifest_formats import Judged, ManifestDocument, ManifestRefused
from tenants.models import Group

__all__ = ["IngestResult", "ManifestDocument", "ManifestRefused", "ingest"]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of each manifest of a batch.

    `accepted`: index, tenant, manifest_id, changed, note. `refused`: index, tenant, field, reason.
    `current_tenant_ids` have a new current manifest, whether or not it changed what is installed.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    accepted_tenant_ids: frozenset[int] = frozenset()
    current_tenant_ids: frozenset[int] = frozenset()
    changed_tenant_ids: frozenset[int] = frozenset()
    opened: int = 0
    closed: int = 0

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        return {
            "manifests": len(self.accepted),
            "refused": len(self.refused),
            "changed": len(self.changed_tenant_ids),
            "opened": self.opened,
            "closed": self.closed,
        }


@dataclass(frozen=True, slots=True)
class _Row:
    """The row that a manifest has, and whether it is new and the newest of its tenant."""

    id: int
    new: bool
    newest: bool

    @property
    def takes_over(self) -> bool:
        """Whether the tenant runs from now on what this manifest says."""
        return self.new and self.newest


Rows = Mapping[tuple[int, datetime, str], _Row]


@transaction.atomic(savepoint=False)
def ingest(group: Group, documents: Sequence[Judged], *, actor: Actor, at: datetime) -> IngestResult:
    """Take a batch. The greatest manifest of a tenant by time, then digest, says what the tenant runs.

    An older one is kept as history; the same again changes nothing. What is refused leaves nothing behind.
    """
    locks.ingesting(group.pk)
    judged = admission.admit(group, documents, at=at)
    rows = _store(group.pk, judged.admitted, at=at)
    current = {item.tenant.pk: item for item in judged.admitted if rows[item.identity].takes_over}
    change = _install(group.pk, judged, current)
    result = IngestResult(
        accepted=list(_answers(judged.admitted, rows, change.tenant_ids)),
        refused=[
            {"index": index, "tenant": error.tenant, "field": error.field, "reason": error.reason}
            for index, error in judged.refused
        ],
        accepted_tenant_ids=frozenset(item.tenant.pk for item in judged.admitted),
        current_tenant_ids=frozenset(current),
        changed_tenant_ids=change.tenant_ids,
        opened=change.opened,
        closed=change.closed,
    )
    history = sum(row.new and not row.newest for row in rows.values())
    # A tenant that says the same as before has told nothing that a ledger is for.
    if result.changed_tenant_ids or history:
        _record(group, result, history, actor=actor, at=at)
    return result


def _store(group_id: int, admitted: Sequence[Admitted], *, at: datetime) -> Rows:
    if not admitted:
        return {}
    contents = {item.digest: item.document for item in admitted}
    stored = staging.given(
        "staged_contents",
        {"digest": "text", "host_version": "text", "plugins": "jsonb", "size": "integer"},
        (
            (digest, one.host_version, Jsonb(dict(one.plugins)), len(one.plugins) + bool(one.host_version))
            for digest, one in contents.items()
        ),
        few=1,  # they are long
    )
    told = staging.given("staged_manifest", _MANIFEST_COLUMNS, _manifest_rows(admitted))
    with connection.cursor() as cursor:
        parameters = {"group": group_id, "at": at, **stored.parameters, **told.parameters}
        cursor.execute(_STORE.format(contents=stored.text, told=told.text), parameters)
        cursor.nextset()  # of the contents, which say nothing
        new = {row_id for row_id, was_new in cursor.fetchall() if was_new}
        cursor.nextset()
        return {
            (tenant_id, observed_at, digest): _Row(row_id, row_id in new, newest)
            for row_id, tenant_id, observed_at, digest, newest in cursor.fetchall()
        }


def _manifest_rows(admitted: Sequence[Admitted]) -> Iterator[tuple[Any, ...]]:
    complete = {item.identity for item in admitted if item.document.complete}
    for identity, source in {item.identity: item.document.source for item in reversed(admitted)}.items():
        yield (*identity, source, identity in complete)


def _install(
    group_id: int, judged: admission.Admission, current: Mapping[int, Admitted]
) -> installations.Change:
    # All of them are resolved, older ones too, so that what is known doesn't depend on the order of arrival.
    unknown = {pair for item in judged.admitted for pair in item.wanted} - judged.known.keys()
    found = judged.known | (catalogue.resolve_releases(group_id, unknown) if unknown else {})
    if not current:
        return installations.Change(0, 0, frozenset())
    inventories = {item.digest: [found[pair] for pair in item.wanted] for item in current.values()}
    tenants = {tenant_id: item.digest for tenant_id, item in current.items()}
    return installations.replace(group_id, inventories, tenants)


def _answers(admitted: Sequence[Admitted], rows: Rows, changed: frozenset[int]) -> Iterator[dict[str, Any]]:
    told: set[int] = set()
    for item in admitted:
        row = rows[item.identity]
        repeated = not row.new or row.id in told
        told.add(row.id)
        changes = not repeated and row.newest and item.tenant.pk in changed
        yield {
            "index": item.index,
            "tenant": item.tenant.key,
            "manifest_id": row.id,
            "changed": changes,
            "note": "" if changes else _note(repeated=repeated, newest=row.newest),
        }


def _note(*, repeated: bool, newest: bool) -> str:
    if repeated:
        return "The same manifest was taken before."
    return "What runs is as before." if newest else "Older than the current manifest: kept as history."


def _record(group: Group, result: IngestResult, history: int, *, actor: Actor, at: datetime) -> None:
    only = result.accepted_tenant_ids
    ledger.record(
        Action.MANIFEST_ACCEPTED,
        subject=group,
        actor=actor,
        at=at,
        tenant_id=next(iter(only)) if len(only) == 1 else None,
        data={**result.figures(), "history": history, "tenants": len(only)},
    )


_MANIFEST_COLUMNS = {
    "tenant_id": "bigint",
    "observed_at": "timestamptz",
    "digest": "text",
    "source": "text",
    "complete": "boolean",
}

# In one go: contents; then who told of them when (told twice, once as complete: then it is complete); then
# the rows of these, one by one, by the index that has them once: the planner takes an unknown table for
# hundreds of rows, and would go through the manifests of all tenants.
_STORE = """
INSERT INTO governance_inventory (digest, host_version, plugins, size)
SELECT digest, host_version, plugins, size FROM {contents} ORDER BY digest
ON CONFLICT (digest) DO NOTHING;

INSERT INTO governance_manifest AS manifest
    (group_id, tenant_id, inventory_id, observed_at, received_at, source, complete)
SELECT %(group)s, tenant_id, digest, observed_at, %(at)s, source, complete
FROM {told}
ORDER BY tenant_id, observed_at, digest
ON CONFLICT (tenant_id, observed_at, inventory_id) DO UPDATE SET complete = TRUE
WHERE EXCLUDED.complete AND NOT manifest.complete
RETURNING id, xmax = 0;

SELECT manifest.id, manifest.tenant_id, manifest.observed_at, manifest.inventory_id, NOT EXISTS (
    SELECT FROM governance_manifest AS newer
    WHERE newer.tenant_id = manifest.tenant_id
        AND (newer.observed_at, newer.inventory_id) > (manifest.observed_at, manifest.inventory_id)
)
FROM {told}
CROSS JOIN LATERAL (
    SELECT id, tenant_id, observed_at, inventory_id FROM governance_manifest AS one
    WHERE one.tenant_id = staged_manifest.tenant_id
        AND one.observed_at = staged_manifest.observed_at AND one.inventory_id = staged_manifest.digest
    OFFSET 0
) AS manifest
"""
