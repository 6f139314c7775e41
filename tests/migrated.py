"""A migrated database to copy: to migrate takes many seconds, to copy less than one."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connection

PREFIX = "migrated_"


def database() -> str:
    """The name of a database with exactly these migrations; made if no earlier run left one.

    It is named after the migrations' own text, so that a change to any of them makes another one. Nothing
    tidies its tables up by itself: when that happened would decide where the next row goes.
    """
    name = f"{PREFIX}{_fingerprint()}"
    with _lock():
        names = _names()
        for other in names - {name}:
            _execute(f'DROP DATABASE "{other}"')
        if name not in names:
            _make(name)
    return name


def _fingerprint() -> str:
    digest = hashlib.sha256(django.__version__.encode() + Path(__file__).read_bytes())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for file in sorted(Path(app.path).glob("migrations/*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _make(name: str) -> None:
    """Migrate under another name first, so that a run that is cut off leaves no half of one."""
    described: dict[str, Any] = connection.settings_dict
    before, test = described["NAME"], dict(described["TEST"])
    described["TEST"]["NAME"] = draft = f"draft_{name}"
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = off)')
    finally:
        connection.close()
        described["NAME"] = settings.DATABASES["default"]["NAME"] = before
        described["TEST"].clear()
        described["TEST"].update(test)
    _execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')


def _names() -> set[str]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        return {name for (name,) in cursor.fetchall()}


def _execute(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _lock() -> Iterator[None]:
    """One process at a time; the others wait for what it makes."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "migrated.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
