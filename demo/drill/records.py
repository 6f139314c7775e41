"""What a drill left behind: in the product's database, in the orchestrator's own file, and in the mail."""

from __future__ import annotations

import email
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.policy import default as mail_policy
from pathlib import Path

from django.conf import settings
from django.db.models import Count

from audit.models import OutboxMessage
from demo.drill import group as drilled
from governance.models import Finding, Installation, UpgradeTask


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the orchestrator counted it. One that isn't finished ends with ""."""

    task: str
    tenant: str
    executions: int
    accepted_at: str
    finished_at: str


@dataclass(frozen=True, slots=True)
class Task:
    """An upgrade task at the drill's end."""

    id: str
    tenant: str
    status: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Records:
    """All of it."""

    tasks: list[Task]  # in the order of their making
    orders: list[Order]  # in the order of their arrival
    running: dict[str, dict[str, str]]  # plugins by tenant, as the orchestrator knows them
    believed: dict[str, dict[str, str]]  # the same as the product has them
    drifting: frozenset[str]  # tenants with an open finding
    messages: dict[str, int]  # of the outbox, by destination and status
    mails: Counter[str]  # by recipient and text


def gather() -> Records:
    """Read it all."""
    with closing(sqlite3.connect(f"file:{drilled.state_file()}?mode=ro", uri=True)) as state:
        orders = _orders(state)
        rows = state.execute("SELECT tenant, plugins FROM tenants").fetchall()
    return Records(
        tasks=_tasks(),
        orders=orders,
        running={tenant: json.loads(plugins) for tenant, plugins in rows},
        believed=_believed(),
        drifting=frozenset(Finding.objects.open().values_list("tenant__key", flat=True)),
        messages=_messages(),
        mails=Counter(_mails(Path(settings.EMAIL_FILE_PATH))),
    )


def _orders(state: sqlite3.Connection) -> list[Order]:
    rows = state.execute(
        "SELECT task, tenant, executions, accepted_at, coalesce(finished_at, '')"
        " FROM orders ORDER BY sequence"
    )
    return [Order(*row) for row in rows]


def _tasks() -> list[Task]:
    rows = UpgradeTask.objects.order_by("created_at", "pk")
    listed = rows.values_list("pk", "tenant__key", "status", "attempts")
    return [Task(str(pk), tenant, status, attempts) for pk, tenant, status, attempts in listed]


def _believed() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    rows = Installation.objects.current().filter(plugin__is_host=False)
    for tenant, plugin, version in rows.values_list("tenant__key", "plugin__name", "release__version"):
        found.setdefault(tenant, {})[plugin] = version
    return found


def _messages() -> dict[str, int]:
    rows = OutboxMessage.objects.order_by().values_list("destination", "status").annotate(Count("pk"))
    return {f"{destination} {status}": count for destination, status, count in sorted(rows)}


def _mails(folder: Path) -> Iterator[str]:
    """Recipient and text of each mail; Django writes them into files with a line of dashes between."""
    for path in folder.glob("*.log") if folder.exists() else ():
        for text in re.split(r"^-{79}$", path.read_text(), flags=re.MULTILINE):
            if text.strip():
                mail = email.message_from_string(text.lstrip(), policy=mail_policy)
                body = mail.get_body(("plain",))
                yield f"{mail['To']}: {mail['Subject']}\n{body.get_content() if body else ''}"
