"""What the tenants would run once a supposition's plans were carried out; taken back with its savepoint."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from governance import staging
from governance.simulation import touching, weighing
from governance.simulation.judging import Judgements
from governance.simulation.supposing import settle
from governance.simulation.weighing import Scene

_COLUMNS = {"tenant_id": "bigint", "plugin_id": "bigint", "release_id": "bigint"}


def weigh_done(scene: Scene, judgements: Judgements, *, of: str, name: str) -> None:
    """Let every tenant run what policies make of it, and weigh that; `of` is the weighing before."""
    before = touching.binding(scene)
    carry_out(judgements)
    settle(scene)
    # Where the tenants went may move the version that a rule wants of all, so that all have to be weighed.
    if touching.touched(before, touching.binding(scene)):
        weighing.weigh(scene, name)
        return
    moved = [tenant for tenant, judgement in judgements.items() if judgement.actions]
    weighing.weigh(scene, f"{name}_there", tenant_ids=moved)
    weighing.replace(name, of, f"{name}_there", moved)


def carry_out(judgements: Judgements) -> None:
    """Let all that reads what is installed find the changes made, with no row touched that others write.

    A view by the table's name stands before it until the savepoint takes it back: in this transaction alone,
    and nobody's manifest has to wait for it.
    """
    if not staging.fill("carried_out", _COLUMNS, _rows(judgements)):
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAND_BEFORE)


def _rows(judgements: Judgements) -> Iterator[tuple[int, int, int | None]]:
    for tenant, judgement in judgements.items():
        for change in judgement.actions:
            yield tenant, change.component, change.after.id if change.after else None


# In here the name is still the table's: it is the view's once that is made.
_STAND_BEFORE = """
CREATE TEMPORARY VIEW governance_installation AS
SELECT i.id, i.group_id, i.tenant_id, i.plugin_id, i.release_id, i.since, i.until
FROM governance_installation i
WHERE i.until IS NULL
  AND NOT EXISTS (SELECT FROM carried_out c WHERE c.tenant_id = i.tenant_id AND c.plugin_id = i.plugin_id)
UNION ALL
SELECT NULL, t.group_id, c.tenant_id, c.plugin_id, c.release_id, g.open_snapshot, NULL
FROM carried_out c
JOIN tenants_tenant t ON t.id = c.tenant_id
JOIN tenants_group g ON g.id = t.group_id
WHERE c.release_id IS NOT NULL
"""
