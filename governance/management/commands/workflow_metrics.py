"""manage.py workflow_metrics: the loop's figures."""

from datetime import timedelta
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand

from config.shares import percentage
from governance.cli.output import Exit, Output
from governance.workflow import Workflow, workflow
from tenants.models import Group


class Command(TyperCommand):
    """Latencies from stage to stage, success rates and queue ages."""

    help = "Print how fast and how well the loop works, for every group or for those named."

    def handle(
        self,
        group: Annotated[list[str] | None, typer.Option(help="Only this group; may be given again.")] = None,
        days: Annotated[int, typer.Option(min=1, max=3650, help="How far to look back.")] = 30,
        as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON, by group.")] = False,
    ) -> None:
        """Exit codes: 0 done, 2 wrong usage."""
        out = Output(self.stdout.write, as_json=as_json)
        at, period = timezone.now(), timedelta(days=days)
        figures = {one.slug: workflow(one, at=at, period=period) for one in _groups(group, out)}

        def show() -> None:
            for slug, found in figures.items():
                _show(out, slug, found, days)

        out.answer({slug: found.as_json() for slug, found in figures.items()}, show)


def _groups(slugs: list[str] | None, out: Output) -> list[Group]:
    groups = Group.objects.order_by("slug")
    if not slugs:
        return list(groups)
    found = list(groups.filter(slug__in=slugs))
    if missing := set(slugs) - {one.slug for one in found}:
        out.stop(Exit.USAGE, f"There is no group {', '.join(sorted(missing))}.")
    return found


def _show(out: Output, slug: str, found: Workflow, days: int) -> None:
    rows = [
        (name.replace("_", " "), latency.count, *map(_span, (latency.median, latency.p95, latency.longest)))
        for name, latency in found.latencies.items()
    ]
    out.table(f"{slug}: the last {days} days", ("step", "count", "median", "95 %", "longest"), rows)
    rate = "no enforcement has ended"
    if found.success_rate is not None:
        rate = f"{percentage(found.success_rate):g} % succeeded"
    out.say(f"Enforcements: {_counts(found.tasks)} ({rate})")
    out.say(f"Runs: {_counts(found.runs)}")
    out.say(f"Queued tasks: {found.queued}, the oldest for {_span(found.queue_age)}")
    out.say(
        f"Outbox: {found.outbox_pending} pending, the oldest for {_span(found.outbox_age)}; "
        f"{found.outbox_dead} given up"
    )
    out.say(f"Background jobs: {found.jobs_waiting}")


def _counts(counts: dict[str, int]) -> str:
    named = (f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
    return ", ".join(named) or "none"


def _span(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"
