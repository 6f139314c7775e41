"""The append-only record of who decided what, and why: per group a hash chain over canonical JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from django.db import connection, transaction

from audit import outbox
from audit.actions import REPORTED_ACTIONS, Action
from audit.models import Entry
from config.access import Actor

log = structlog.get_logger("plumbline.decision")

GENESIS = "0" * 64
_CHAIN_LOCK = 0x6C656467  # "ledg": the advisory lock's first key, the group is the second


class Subject(Protocol):
    """A record that belongs to a group and can say its name."""

    pk: Any

    @property
    def group_id(self) -> int: ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to be written to the ledger."""

    action: Action
    subject_kind: str
    subject_id: str
    subject_label: str
    tenant_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def record(
    action: Action,
    *,
    subject: Subject,
    actor: Actor,
    at: datetime,
    tenant_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> Entry:
    """Write one entry about a model instance, in the caller's transaction."""
    entry = Record(
        action=action,
        subject_kind=str(getattr(subject, "_meta").model_name),  # noqa: B009 - Django's only name for it
        subject_id=str(subject.pk),
        subject_label=str(subject)[:300],
        tenant_id=tenant_id if tenant_id is not None else getattr(subject, "tenant_id", None),
        data=data or {},
    )
    return record_many([entry], group_id=subject.group_id, actor=actor, at=at)[0]


def record_many(records: Iterable[Record], *, group_id: int, actor: Actor, at: datetime) -> list[Entry]:
    """Write entries in order, in the caller's transaction.

    The group's chain is locked until that transaction ends: a chain has one end only.
    """
    with transaction.atomic(savepoint=False):
        sequence, previous = _end_of_chain(group_id)
        entries: list[Entry] = []
        for item in records:
            sequence += 1
            entry = _entry(item, group_id=group_id, sequence=sequence, actor=actor, at=at, previous=previous)
            previous = entry.hash
            entries.append(entry)
        written = Entry.objects.bulk_create(entries, batch_size=1000)
        for entry in written:
            if entry.action in REPORTED_ACTIONS:
                outbox.post_audit(as_document(entry), group_id=group_id, at=at)
        transaction.on_commit(lambda: _log(written))
    return written


def hold(group_id: int) -> None:
    """Keep others from adding to the group's chain until the caller's transaction ends.

    For work that one transaction at a time may do and that ends in a record: taking the lock that it will
    take anyway keeps two such transactions from waiting for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CHAIN_LOCK, group_id])


def holding(column: str) -> str:
    """The same in SQL, for a statement that finds the group as it goes: the column names it."""
    return f"pg_advisory_xact_lock({_CHAIN_LOCK}, {column}::integer)"


def _end_of_chain(group_id: int) -> tuple[int, str]:
    """Hold the chain, and say its last number and hash. In one go: most writes do nothing else but this."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_AND_READ, {"lock": _CHAIN_LOCK, "group": group_id})
        cursor.nextset()  # of the lock, which says nothing
        last: tuple[int, str] | None = cursor.fetchone()
        return last or (0, GENESIS)


# Two statements, since one would see the chain as it was before it had waited for the lock.
_HOLD_AND_READ = """
SELECT pg_advisory_xact_lock(%(lock)s, %(group)s::integer);
SELECT sequence, hash FROM audit_entry WHERE group_id = %(group)s ORDER BY sequence DESC LIMIT 1
"""


def as_document(entry: Entry) -> dict[str, Any]:
    """What the hash covers, and what an export or the audit contract carries."""
    return {
        "group_id": entry.group_id,
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name},
        "action": str(entry.action),
        "subject": {"kind": entry.subject_kind, "id": entry.subject_id, "label": entry.subject_label},
        "tenant_id": entry.tenant_id,
        "data": entry.data,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def hash_of(entry: Entry) -> str:
    """SHA-256 over the entry's canonical JSON (sorted keys, no spaces, UTF-8), its own hash left out."""
    document = as_document(entry)
    del document["hash"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the chain does not hold."""

    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain up to which it was found to hold. The first is before every entry."""

    sequence: int = 0
    hash: str = GENESIS


BEGINNING = Mark()


def end(group_id: int) -> Mark:
    """The chain's last place as it is now."""
    rows = Entry.objects.filter(group_id=group_id).order_by("-sequence").values_list("sequence", "hash")
    last = rows.first()
    return Mark(*last) if last else BEGINNING


def verify(group_id: int, *, after: Mark = BEGINNING) -> list[Fault]:
    """Every place where an entry was changed or is missing; empty if the chain holds.

    With `after`, what was found to hold before is left out, but for the entry at that place.
    """
    faults: list[Fault] = []
    previous, expected = after.hash, after.sequence + 1
    if after.sequence and not _holds(group_id, after):
        faults.append(Fault(after.sequence, "is gone, or not what was verified before"))
    rows = Entry.objects.filter(group_id=group_id, sequence__gt=after.sequence).order_by("sequence")
    for entry in rows.iterator(chunk_size=2000):
        if entry.sequence != expected:
            faults.append(Fault(expected, f"entries {expected} to {entry.sequence - 1} are missing"))
        elif entry.previous_hash != previous:
            faults.append(Fault(entry.sequence, "does not follow from the entry before it"))
        if hash_of(entry) != entry.hash:
            faults.append(Fault(entry.sequence, "was changed after it was written"))
        previous, expected = entry.hash, entry.sequence + 1
    return faults


def _holds(group_id: int, mark: Mark) -> bool:
    entry = Entry.objects.filter(group_id=group_id, sequence=mark.sequence).first()
    return entry is not None and entry.hash == mark.hash == hash_of(entry)


def _entry(item: Record, *, group_id: int, sequence: int, actor: Actor, at: datetime, previous: str) -> Entry:
    entry = Entry(
        group_id=group_id,
        sequence=sequence,
        at=at,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name,
        action=item.action,
        subject_kind=item.subject_kind,
        subject_id=item.subject_id,
        subject_label=item.subject_label[:300],
        tenant_id=item.tenant_id,
        # Through JSON and back, so that what is hashed is what the database will give back.
        data=json.loads(json.dumps(dict(item.data), default=str)),
        previous_hash=previous,
    )
    entry.hash = hash_of(entry)
    return entry


def _log(entries: list[Entry]) -> None:
    for entry in entries:
        log.info(
            str(entry.action),
            group=entry.group_id,
            tenant=entry.tenant_id,
            subject=entry.subject_label,
            actor=entry.actor_name,
            sequence=entry.sequence,
            **{
                f"data_{key}" if key in {"event", "level"} else key: value
                for key, value in entry.data.items()
                if key not in {"group", "tenant", "subject", "actor", "sequence"}
            },
        )
