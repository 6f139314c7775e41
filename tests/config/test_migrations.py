"""A new database takes a short way, in one step for each app; an older one goes on where it stands."""

from collections.abc import Iterable

import pytest
from django.db.migrations import RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader


@pytest.fixture(scope="module")
def steps() -> MigrationLoader:
    """All migrations as an older database takes them, one after the other."""
    return MigrationLoader(None, replace_migrations=False)


@pytest.fixture(scope="module")
def short() -> MigrationLoader:
    """The way of a new database."""
    return MigrationLoader(None)


def test_both_ways_lead_to_the_same_tables(steps: MigrationLoader, short: MigrationLoader) -> None:
    assert len(short.graph.nodes) < len(steps.graph.nodes)
    # Without the short ones, which are among the steps' ends too and would begin again with bare tables.
    ends = [end for end in steps.graph.leaf_nodes() if end not in short.replacements]
    difference = MigrationAutodetector(steps.project_state(ends), short.project_state())
    assert difference.changes(short.graph) == {}


def test_the_short_way_makes_what_only_the_database_knows_of(
    steps: MigrationLoader, short: MigrationLoader
) -> None:
    made = _makes(steps, short.replacements.keys())
    assert any("CREATE TRIGGER" in statement for statement in made)
    replaced = {key for squashed in short.replacements.values() for key in squashed.replaces}
    assert made == _makes(steps, replaced)


_OF_ROWS = ("UPDATE", "INSERT", "DELETE")


def _makes(loader: MigrationLoader, keys: Iterable[tuple[str, str]]) -> set[str]:
    """What these migrations make by statements; those that change rows find none in a new database."""
    return {
        str(operation.sql)
        for key in keys
        for operation in loader.disk_migrations[key].operations
        if isinstance(operation, RunSQL) and not str(operation.sql).lstrip().startswith(_OF_ROWS)
    }
