"""The product's settings with the tests' schedules and a demo that loads at once."""

from config.settings import *  # noqa: F403 (three names differ)
from config.settings import INSTALLED_APPS as PRODUCT

# The command of an application that comes first wins.
INSTALLED_APPS = ["tests.config.stage", *PRODUCT]
SCHEDULES = "tests.config.jobs.SCHEDULES"
WELCOME = "tests.config.jobs.welcome"
