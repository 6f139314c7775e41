"""What the tenants would run once a supposition's plans were carried out; taken back with its savepoint."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from governance import staging
from governance.simulation import touching, weighing
from governance.simulation.judging import Judgements
from governance.simulation.supposing import settle
from governance.simulation.weighing import Scene
from tenants.models import Group

_COLUMNS = {"tenant_id": "bigint", "plugin_id": "bigint", "release_id": "bigint"}


def weigh_done(scene: Scene, judgements: Judgements, *, of: str, name: str) -> None:
    """Let every tenant run what policies make of it, and weigh that; `of` is the weighing before."""
    before = touching.binding(scene)
    carry_out(scene, judgements)
    settle(scene)
    # Where the tenants went may move the version that a rule wants of all, so that all have to be weighed.
    if touching.touched(before, touching.binding(scene)):
        weighing.weigh(scene, name)
        return
    moved = [tenant for tenant, judgement in judgements.items() if judgement.actions]
    weighing.weigh(scene, f"{name}_there", tenant_ids=moved)
    weighing.replace(name, of, f"{name}_there", moved)


def carry_out(scene: Scene, judgements: Judgements) -> None:
    """Write the changes as if the tenants' next manifests had told of them."""
    if not staging.fill("carried_out", _COLUMNS, _rows(judgements)):
        return
    number = Group.objects.values_list("open_snapshot", flat=True).get(pk=scene.group.pk)
    parameters = {"group": scene.group.pk, "open": number}
    with connection.cursor() as cursor:
        for statement in (_FORGET, _END, _BEGIN):
            cursor.execute(statement, parameters)


def _rows(judgements: Judgements) -> Iterator[tuple[int, int, int | None]]:
    for tenant, judgement in judgements.items():
        for change in judgement.actions:
            yield tenant, change.component, change.after.id if change.after else None


_FORGET = """
DELETE FROM governance_installation i USING carried_out c
WHERE i.tenant_id = c.tenant_id AND i.plugin_id = c.plugin_id AND i.until IS NULL AND i.since = %(open)s
"""

_END = """
UPDATE governance_installation i SET until = %(open)s FROM carried_out c
WHERE i.tenant_id = c.tenant_id AND i.plugin_id = c.plugin_id AND i.until IS NULL
"""

_BEGIN = """
INSERT INTO governance_installation (group_id, tenant_id, plugin_id, release_id, since)
SELECT %(group)s, tenant_id, plugin_id, release_id, %(open)s FROM carried_out WHERE release_id IS NOT NULL
ORDER BY tenant_id, plugin_id
"""
