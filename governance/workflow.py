"""How fast and how well the loop works: latencies from stage to stage, success rates, queue ages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Min

from audit.models import OutboxMessage
from audit.models.outbox import OutboxStatus
from config import queue
from governance.models import Run, UpgradeTask
from tenants.models import Group

Status = UpgradeTask.Status


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one step took: seconds, None where it was never taken."""

    count: int
    median: float | None
    p95: float | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class Workflow:
    """The loop's figures in one group over a period."""

    since: datetime
    latencies: dict[str, Latency]
    tasks: dict[str, int]
    runs: dict[str, int]
    queued: int
    queue_age: float | None
    outbox_pending: int
    outbox_age: float | None
    outbox_dead: int
    jobs_waiting: int

    @property
    def success_rate(self) -> float | None:
        """The share of enforcements that a manifest proved, of those that came to an end by themselves."""
        ended = [
            self.tasks.get(status, 0) for status in (Status.SUCCEEDED, Status.GIVEN_UP, Status.VERIFY_FAILED)
        ]
        return ended[0] / sum(ended) if sum(ended) else None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "since": self.since.isoformat(), "success_rate": self.success_rate}


def workflow(group: Group, *, at: datetime, period: timedelta) -> Workflow:
    """The figures of what happened within the period up to `at`, and of what waits now."""
    since = at - period
    tasks = UpgradeTask.objects.filter(group=group)
    queued = tasks.filter(status=Status.QUEUED).aggregate(count=Count("pk"), oldest=Min("created_at"))
    outbox = OutboxMessage.objects.filter(group_id=group.pk)
    pending = outbox.filter(status=OutboxStatus.PENDING).aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    finished = tasks.filter(finished_at__gt=since, finished_at__lte=at).order_by().values_list("status")
    runs = Run.objects.filter(group=group, started_at__gt=since).order_by().values_list("status")
    return Workflow(
        since=since,
        latencies={name: _latency(sql, group, since, at) for name, sql in _LATENCIES.items()},
        tasks=dict(finished.annotate(count=Count("pk"))),
        runs=dict(runs.annotate(count=Count("pk"))),
        queued=queued["count"],
        queue_age=_age(queued["oldest"], at),
        outbox_pending=pending["count"],
        outbox_age=_age(pending["oldest"], at),
        outbox_dead=outbox.filter(status=OutboxStatus.DEAD).count(),
        jobs_waiting=queue.waiting(),
    )


def _latency(sql: str, group: Group, since: datetime, at: datetime) -> Latency:
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD.format(took=sql), {"group": group.pk, "since": since, "at": at})
        count, median, p95, longest = cursor.fetchone()
    return Latency(count, _seconds(median), _seconds(p95), _seconds(longest))


def _age(oldest: datetime | None, at: datetime) -> float | None:
    return _seconds((at - oldest).total_seconds()) if oldest else None


def _seconds(value: Any) -> float | None:
    return None if value is None else round(float(value), 3)


_SPREAD = """
SELECT count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds),
    max(seconds)
FROM (SELECT extract(epoch FROM took)::float8 AS seconds FROM ({took}) AS step) AS spread
WHERE seconds IS NOT NULL
"""

_LATENCIES = {
    # Only where the manifest brought what is wrong: other drift came with a policy or the catalogue.
    "manifest_to_finding": """
        SELECT f.opened_at - (
            SELECT max(m.received_at) FROM governance_manifest m
            WHERE m.tenant_id = f.tenant_id AND m.received_at <= f.opened_at
        ) AS took
        FROM governance_finding f
        JOIN governance_installation i ON i.tenant_id = f.tenant_id AND i.plugin_id = f.plugin_id
            AND i.release_id = f.release_id AND i.since = f.opened_snapshot
        WHERE f.group_id = %(group)s AND f.opened_at > %(since)s AND f.opened_at <= %(at)s
    """,
    "finding_to_plan": """
        SELECT (
            SELECT min(t.created_at) FROM governance_upgradetask t
            WHERE t.tenant_id = f.tenant_id AND t.created_at >= f.opened_at
              AND t.steps @> jsonb_build_array(jsonb_build_object('plugin', p.name))
        ) - f.opened_at AS took
        FROM governance_finding f
        JOIN governance_plugin p ON p.id = f.plugin_id
        WHERE f.group_id = %(group)s AND f.opened_at > %(since)s AND f.opened_at <= %(at)s
    """,
    "plan_to_dispatch": """
        SELECT dispatched_at - created_at AS took FROM governance_upgradetask
        WHERE group_id = %(group)s AND dispatched_at > %(since)s AND dispatched_at <= %(at)s
    """,
    "plan_to_verified": """
        SELECT finished_at - created_at AS took FROM governance_upgradetask
        WHERE group_id = %(group)s AND status = 'succeeded' AND finished_at > %(since)s
          AND finished_at <= %(at)s
    """,
}
