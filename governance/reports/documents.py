"""The files of a report: canonical JSON, a table of all rows, and a PDF of what matters most."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

from audit.models import Report, ReportFile
from governance.reports import pdf

Document = dict[str, Any]

COLUMNS = (
    "section",
    "tenant",
    "plugin",
    "installed",
    "target",
    "policy",
    "rule",
    "severity",
    "status",
    "overdue",
    "opened_at",
    "due_at",
    "closed_at",
    "exempt_until",
    "reason",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def canonical(data: Document) -> bytes:
    """The report as the JSON that its digest is of: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data: Document) -> str:
    """SHA-256 over the canonical JSON."""
    return hashlib.sha256(canonical(data)).hexdigest()


def render(report: Report, data: Document) -> list[ReportFile]:
    """The report's files, not saved yet. The PDF carries the table along."""
    name = f"{data['group']['slug']}-compliance-{report.number}"
    table = as_csv(data)
    written = pdf.write(data, digest=digest(data), table=table, table_name=f"{name}.csv")
    return [
        _file(report, "pdf", name, "application/pdf", written),
        _file(report, "csv", name, "text/csv; charset=utf-8", table),
        _file(report, "json", name, "application/json", canonical(data)),
    ]


def as_csv(data: Document) -> bytes:
    """Every row of the report. Cells that a spreadsheet would take for a formula begin with an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for row in rows(data):
        table.writerow([guarded(row.get(column)) for column in COLUMNS])
    return written.getvalue().encode()


def rows(data: Document) -> Iterator[Document]:
    """What is outstanding, accepted, completed, planned, and what waits for or got a decision."""
    for section in ("outstanding", "accepted"):
        yield from ({"section": section, **row} for row in data[section])
    yield from ({"section": "completed", **row} for row in data["completed"]["findings"])
    for section, tasks in (("completed", data["completed"]["tasks"]), ("planned", data["planned"]["tasks"])):
        for task in tasks:
            yield from _steps(f"{section} upgrade", task)
    for row in data["planned"]["policies"]:
        yield {"section": "planned policy", **row, "opened_at": row["effective_from"]}
    for conflict in data["conflicts"]:
        yield from _conflict(conflict)
    for row in data["exemptions"]:
        yield {
            "section": "exemption",
            **row,
            "opened_at": row["starts_at"],
            "exempt_until": row["expires_at"],
        }


def guarded(value: object) -> str:
    """The value as the text of a cell that no spreadsheet computes."""
    text = "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _steps(section: str, task: Document) -> Iterator[Document]:
    for step in task["steps"]:
        yield {
            "section": section,
            "tenant": task["tenant"],
            "plugin": step["plugin"],
            "installed": step["from"],
            "target": step["to"],
            "status": task["status"],
            "opened_at": task["created_at"],
            "due_at": task["due_at"],
            "closed_at": task["finished_at"],
            "reason": task["detail"] or task["waiting_because"],
        }


def _conflict(conflict: Document) -> Iterator[Document]:
    decision = conflict["decision"]
    for tenant in conflict["tenants"] or [None]:
        yield {
            "section": "conflict",
            "tenant": tenant,
            "plugin": conflict["plugin"],
            "policy": ", ".join(f"{rule['policy']}/{rule['key']}" for rule in conflict["rules"]),
            "status": conflict["status"],
            "opened_at": conflict["found_at"],
            "closed_at": conflict["closed_at"],
            "reason": decision["reason"] if decision else conflict["summary"],
        }


def _file(report: Report, format: str, name: str, content_type: str, content: bytes) -> ReportFile:
    return ReportFile(
        report=report,
        format=format,
        name=f"{name}.{format}",
        content_type=content_type,
        content=content,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
