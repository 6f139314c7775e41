"""What runs again and again, declared in code."""

from datetime import timedelta

from django.conf import settings

from config.queue import Schedule
from governance import duedates

LOOP = timedelta(minutes=settings.LOOP_MINUTES)
SCHEDULES = [
    Schedule("follow-up", "governance.jobs.tick", settings.FOLLOW_UP_EVERY),
    Schedule("snapshot", "governance.jobs.seal_snapshots", timedelta(minutes=5)),
    Schedule("steps", "governance.jobs.notice_steps", duedates.EVERY),
    Schedule("directory", "governance.jobs.sync_directories", timedelta(minutes=settings.LDAP_MINUTES)),
    Schedule("machine", "governance.jobs.look_at_machine", timedelta(minutes=1)),
    Schedule("prune", "governance.jobs.prune", timedelta(days=1)),
    # Not at once: who has just installed it wants to see how things stand before anything acts.
    Schedule("loop", "governance.jobs.run_loops", LOOP, first_after=LOOP),
]
