"""What a reader sees first, the same on a report's page and on paper: charts and the worst cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import charts, tones
from governance.models import Finding

Document = Mapping[str, Any]

WORST = 25  # rows of each kind; all of them are in the files


def of(data: Document) -> dict[str, Any]:
    """The charts and the worst plugins and tenants of a report."""
    summary = data["summary"]
    points = [(row["sealed_at"][:10], row["compliant_tenants"] / row["tenants"]) for row in data["trend"]]
    return {
        "shown": WORST,
        "ring": charts.donut(summary["compliance_rate"], title="Tenants in line"),
        "trend": charts.trend(points, title="Tenants in line by snapshot", percent=True)
        if len(points) > 1
        else None,
        "states": charts.stack(_parts(summary["by_status"]), title="Open findings by status"),
        "policies": charts.bars(_bars(data["by_policy"]), title="Outstanding findings by policy"),
        "worst_plugins": _worst(data["by_plugin"], "plugin"),
        "worst_tenants": _worst(data["by_tenant"], "tenant"),
    }


def _parts(by_status: Mapping[str, int]) -> list[charts.Part]:
    return [
        charts.Part(Finding.Status(status).label, count, tones.tone(status))
        for status, count in by_status.items()
    ]


def _bars(by_policy: list[Document]) -> list[charts.Bar]:
    return [
        charts.Bar(row["policy"], row["outstanding"], tone="red") for row in by_policy if row["outstanding"]
    ][:10]


def _worst(rows: list[Document], name: str) -> list[Document]:
    drifting = [row for row in rows if row["outstanding"]]
    return sorted(drifting, key=lambda row: (-row["outstanding"], row[name]))[:WORST]
