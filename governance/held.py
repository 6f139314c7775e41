"""An upgrade task as it stands once nobody else moves it: under the ledger's lock of its group.

Found, locked and read in one message to the database, since callbacks do little else; by hand, since putting
the statement together anew for each takes longer than all the rest of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, models

from audit import ledger
from governance.models import Plan, UpgradeTask
from tenants.models import Tenant

Row = TypeVar("Row", bound=models.Model)

_TASK = ("id", "group_id", "tenant_id", "plan_id", "status", "order_id", "attempts", "detail")
_LISTS = ("steps", "earlier_orders", "retry_delays")  # which come as texts
_TENANT = ("id", "group_id", "key", "name")
_PLAN = ("id", "group_id", "number", "status")


def task(task_id: str, *, group_id: int | None = None) -> UpgradeTask | None:
    """The task with its tenant and plan, held until the caller's transaction ends.

    None where there is no such task, or none of this group. What is rarely asked for is read when it is.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_AND_READ, {"task": task_id, "group": group_id})
        cursor.nextset()  # of the lock, which says nothing
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    plain, lists = _named(_TASK, values), _named(_LISTS, values)
    found = _instance(UpgradeTask, plain | {name: json.loads(text) for name, text in lists.items()})
    found.tenant = _instance(Tenant, _named(_TENANT, values))
    found.plan = _instance(Plan, _named(_PLAN, values))
    return found


def _named(names: Sequence[str], values: Iterator[Any]) -> dict[str, Any]:
    """The next of the values, as many as there are names."""
    return dict(zip(names, islice(values, len(names)), strict=True))


def _instance(model: type[Row], values: dict[str, Any]) -> Row:
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(connection.alias, names, [values[name] for name in names])


def _columns(table: str, names: Iterable[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


# The second sees what whoever held the lock before has written.
_HOLD_AND_READ = f"""
SELECT {ledger.holding("group_id")} FROM governance_upgradetask
WHERE id = %(task)s AND group_id = coalesce(%(group)s, group_id);
SELECT {_columns("t", _TASK)}, {_columns("t", _LISTS)}, {_columns("e", _TENANT)}, {_columns("p", _PLAN)}
FROM governance_upgradetask t
JOIN tenants_tenant e ON e.id = t.tenant_id
JOIN governance_plan p ON p.id = t.plan_id
WHERE t.id = %(task)s AND t.group_id = coalesce(%(group)s, t.group_id)
"""
