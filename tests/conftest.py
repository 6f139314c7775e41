"""What every test stands on."""

import fcntl
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from config import postgres
from config.env import database_url
from tests import factories, migrated
from tests.governance.furnished import Furnished
from tests.ground import Ground

# The same examples on every machine, however busy it is.
hypothesis.settings.register_profile("plumbline", deadline=None, derandomize=True)
hypothesis.settings.load_profile("plumbline")

# Nothing of a test's data has to outlive a power cut. Read when the embedded server starts, which is later.
os.environ.setdefault("PLUMBLINE_DATABASE_FSYNC", "off")

# What runs the whole product takes longest, and begins first, so that all cores end together.
_FIRST = (
    "tests/journeys/test_every_page.py",
    "tests/journeys/test_fault_drill.py",
    "tests/journeys/test_through_commands.py",
    "tests/journeys/test_survival.py",
    "tests/journeys/test_simulation_accuracy.py",
    "tests/config/test_recovery.py",
    "tests/journeys/",
    "tests/config/test_ending.py",
    "tests/config/test_run.py",
    "tests/config/test_worker.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for the run on several cores, which hands them out file by file."""
    items.sort(key=lambda item: _place(item.nodeid))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what lives as long as the run: all modules, and all tests."""
    gc.collect()
    gc.freeze()


def _place(nodeid: str) -> int:
    places = (place for place, start in enumerate(_FIRST) if nodeid.startswith(start))
    return next(places, len(_FIRST))


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


@pytest.fixture(scope="module")
def ground(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Ground]:
    """What the module's tests stand on; see tests.ground."""
    made = Ground(getattr(request.module, "SCENE", None))
    yield made
    with django_db_blocker.unblock():
        made.clear()


@pytest.fixture
def _laid(request: pytest.FixtureRequest, ground: Ground, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        ground.lay(request.fixturenames)


@pytest.fixture
def _django_db_helper(_laid: None, _django_db_helper: None) -> None:
    """Begin pytest-django's transaction around the test, for which see there, on the ground that is laid."""


@pytest.fixture
def standing_world(db: None, ground: Ground) -> factories.World:
    """A copy of the world that the module's tests stand on."""
    return ground.copy("standing_world", factories.World)


@pytest.fixture
def standing_house(db: None, ground: Ground) -> Furnished:
    """A copy of the furnished world that the module's tests stand on."""
    return ground.copy("standing_house", Furnished)


@pytest.fixture
def standing_scene(db: None, ground: Ground) -> Any:
    """A copy of the scene that the module's tests stand on."""
    return ground.copy("standing_scene", object)


@pytest.fixture
def world(standing_world: factories.World) -> factories.World:
    """An owner, a viewer, an outsider, and two tenants; see tests.factories.World."""
    return standing_world


@pytest.fixture
def house(standing_house: Furnished) -> Furnished:
    """A world in which every page has something to show; see tests.governance.furnished."""
    return standing_house


@pytest.fixture
def rolled_back(db: None) -> Callable[[], AbstractContextManager[None]]:
    """A context that leaves the database as it was, for tests that try one thing many times."""

    @contextmanager
    def begin() -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return begin
