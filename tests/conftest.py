"""What every test stands on."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from config import postgres
from config.env import database_url
from tests import factories, migrated

# The same examples on every machine, however busy it is.
hypothesis.settings.register_profile("plumbline", deadline=None, derandomize=True)
hypothesis.settings.load_profile("plumbline")

# Nothing of a test's data has to outlive a power cut. Read when the embedded server starts, which is later.
os.environ.setdefault("PLUMBLINE_DATABASE_FSYNC", "off")

# What runs the whole product takes longest, and begins first, so that both cores end together.
_FIRST = "tests/journeys/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for the run on several cores, which hands them out file by file."""
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(scope="session", autouse=True)
def _embedded_server() -> Iterator[None]:
    """Leave no server behind: the last test run that uses the embedded one stops it."""
    if database_url():
        yield
        return
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "in-use").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postgres.stop(settings.DATA_DIR)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Let the tests' database be a copy of one that is migrated already."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated.database()


@pytest.fixture
def world(db: None) -> factories.World:
    """An owner, a viewer, an outsider, and two tenants; see tests.factories.World."""
    return factories.world()


@pytest.fixture
def rolled_back(db: None) -> Callable[[], AbstractContextManager[None]]:
    """A context that leaves the database as it was, for tests that try one thing many times."""

    @contextmanager
    def begin() -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return begin
