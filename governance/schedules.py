"""What runs again and again, declared in code."""

from datetime import timedelta

from django.conf import settings

from config.queue import Schedule

SCHEDULES = [
    Schedule("follow-up", "governance.jobs.tick", timedelta(seconds=10)),
    Schedule("snapshot", "governance.jobs.seal_snapshots", timedelta(minutes=5)),
    Schedule("loop", "governance.jobs.run_loops", timedelta(minutes=settings.LOOP_MINUTES)),
]
