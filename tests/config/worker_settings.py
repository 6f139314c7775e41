"""The product's settings with the tests' schedules."""

from config.settings import *  # noqa: F403 (one name differs)

SCHEDULES = "tests.config.jobs.SCHEDULES"
