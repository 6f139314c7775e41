"""The first page: how the group stands, and what needs a person."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from config import charts
from config.access import Access, ConsoleRequest, Permission, requires
from config.charts import Bar, Part
from config.rendering import render_page
from config.tones import tone
from governance import compliance, findings
from governance import overview as figures
from governance.models import Finding, Snapshot

MOST = 8


@require_GET
@requires(Permission.GROUP_VIEW, Permission.TENANT_VIEW)
def overview(request: ConsoleRequest) -> HttpResponse:
    """Compliance and its trend, drift by plugin and by tenant, decisions, and SLA countdowns.

    A tenant admin who enters the group's address is led to where their own work begins.
    """
    access, at = request.access, timezone.now()
    if not access.allows(Permission.GROUP_VIEW):
        return redirect(access.link(access.home))
    context = {
        **_standing(access),
        **_drift(access),
        "countdown": figures.countdown(access, at=at),
        "waiting": figures.waiting(access, at=at),
        "runs": figures.latest_runs(access),
        "report": figures.latest_report(access),
        "snapshot": Snapshot.objects.within(access).order_by("-number").first(),
    }
    return render_page(request, "governance/overview/overview.html", context)


def _standing(access: Access) -> dict[str, Any]:
    """How many tenants are in line, now and from snapshot to snapshot."""
    rate = compliance.rate(access)
    trend = figures.trend(access, rate.share)
    title = "Compliance over the snapshots"
    return {
        "compliance": rate,
        "ring": charts.donut(rate.share, title="Tenants without outstanding drift"),
        "trend": charts.trend(trend, title=title, percent=True) if len(trend) > 2 else None,
    }


def _drift(access: Access) -> dict[str, Any]:
    """What is out of line: by how far it is seen to, and where there is most of it."""
    counts = findings.count_by_status(access).items()
    drift = access.link("drift_list")
    return {
        "by_status": charts.stack(
            [Part(Finding.Status(status).label, count, tone(status)) for status, count in counts],
            title="Open findings by status",
        ),
        "by_plugin": _bars(
            [(tally.name, tally.outstanding) for tally in findings.most_by_plugin(access, MOST)],
            f"{drift}?plugin=",
            "Outstanding drift by plugin",
        ),
        "by_tenant": _bars(
            [(tally.name, tally.outstanding) for tally in findings.most_by_tenant(access, MOST)],
            f"{drift}?tenant=",
            "Outstanding drift by tenant",
        ),
    }


def _bars(tallies: list[tuple[str, int]], address: str, title: str) -> charts.Bars | None:
    if not tallies:
        return None
    return charts.bars(
        [Bar(name, count, url=f"{address}{quote(name, safe='')}", tone="orange") for name, count in tallies],
        title=title,
    )
