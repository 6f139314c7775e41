"""The static files as the web server wants them: hashed, compressed, in one place."""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

# Parts of installed packages that no page of ours shows: compressing them would take most of the time.
UNUSED = ["redoc", "rest_framework"]


def collect() -> bool:
    """Collect the static files if they changed since the last time; False if there was nothing to do."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    note = root / ".fingerprint"
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = fingerprint()
        if note.exists() and note.read_text() == current:
            return False
        call_command("collectstatic", interactive=False, ignore_patterns=UNUSED, verbosity=0)
        note.write_text(current)
    return True


def fingerprint() -> str:
    """A digest that changes when a source file is added, removed or changed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
