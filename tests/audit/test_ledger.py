"""The ledger: written once, chained, and noticed when tampered with."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit import ledger
from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from tests.factories import AT, World

pytestmark = pytest.mark.django_db


def write(world: World, times: int = 1) -> list[Entry]:
    return [
        ledger.record(
            Action.GROUP_CHANGED, subject=world.group, actor=SYSTEM, at=AT, data={"n": number, "名": "ü"}
        )
        for number in range(times)
    ]


def tamper(statement: str, *values: int) -> None:
    """Change the table as someone with the owner's rights and bad intent could."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def test_entries_follow_one_another_without_a_gap(world: World) -> None:
    write(world, 3)

    sequences = list(
        Entry.objects.filter(group_id=world.group.pk).order_by("sequence").values_list("sequence")
    )

    assert sequences == [(number,) for number in range(1, len(sequences) + 1)]
    assert ledger.verify(world.group.pk) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor_name = 'me'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_what_was_written(world: World, statement: str) -> None:
    write(world)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_changed_entry_is_found(world: World) -> None:
    *_, last = write(world, 2)
    tamper("UPDATE audit_entry SET data = '{}' WHERE id = %s", last.pk)

    assert [fault.sequence for fault in ledger.verify(world.group.pk)] == [last.sequence]


def test_a_missing_entry_is_found(world: World) -> None:
    first, *_ = write(world, 3)
    tamper("DELETE FROM audit_entry WHERE id = %s", first.pk)

    faults = ledger.verify(world.group.pk)

    assert faults[0].sequence == first.sequence
    assert "missing" in faults[0].reason


def test_an_entry_that_was_rolled_back_leaves_no_gap(world: World) -> None:
    savepoint = transaction.savepoint()
    write(world)
    transaction.savepoint_rollback(savepoint)
    write(world)

    assert ledger.verify(world.group.pk) == []


def test_groups_have_chains_of_their_own(world: World) -> None:
    [entry] = write(world)

    others = Entry.objects.exclude(group_id=world.group.pk)

    assert others.exists()
    assert not others.filter(hash=entry.previous_hash).exists()


def test_a_tenant_admin_reads_nothing_of_the_ledger(world: World) -> None:
    write(world)

    assert Entry.objects.within(world.access(world.viewer)).exists()
    assert not Entry.objects.within(world.access(world.tenant_admin)).exists()
