"""What tenants are supposed to run instead; taken back with the savepoint that it is said in."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from governance import staging
from governance.models import Plan, Plugin, Release
from tenants.models import Group

Row = tuple[int, int, int | None]  # tenant, plugin, and the release or None where the plugin is gone
_COLUMNS = {"tenant_id": "bigint", "plugin_id": "bigint", "release_id": "bigint"}


def stand_in(rows: Iterable[Row]) -> None:
    """Let all that reads what is installed find the changes made, with no row touched that others write.

    A view by the table's name stands before it until the savepoint takes it back: in this transaction alone,
    and nobody's manifest has to wait for it.
    """
    if not staging.fill("carried_out", _COLUMNS, rows):
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAND_BEFORE)


def steps_of(plan: Plan) -> list[Row]:
    """What the plan's tasks would make of their tenants; read whole, since filling keeps the connection."""
    tasks = list(plan.tasks.unfinished().values_list("tenant_id", "steps"))
    names = {step["plugin"] for _, steps in tasks for step in steps}
    plugins = dict(Plugin.objects.filter(group=plan.group_id, name__in=names).values_list("name", "pk"))
    rows = Release.objects.filter(plugin__in=plugins.values())
    releases = {(plugin, version): pk for pk, plugin, version in rows.values_list("pk", "plugin", "version")}
    return [
        (tenant, plugins[step["plugin"]], releases.get((plugins[step["plugin"]], step["to"])))
        for tenant, steps in tasks
        for step in steps
    ]


def drafted(group: Group, number: int) -> Plan:
    """The group's plan of that number."""
    return Plan.objects.get(group=group, number=number)


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
