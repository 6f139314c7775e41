"""The product's settings with the tests' schedules, and nothing of the demo."""

from config.settings import *  # noqa: F403 (two names differ)

SCHEDULES = "tests.config.jobs.SCHEDULES"
WELCOME = "tests.config.jobs.welcome"
