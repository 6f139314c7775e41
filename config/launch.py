"""The whole product on one machine: what `manage.py run` prepares, starts and stops."""

import contextlib
import fcntl
import http.client
import logging
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from config import assets, postgres
from config.env import database_url
from config.supervisor import Service


def services(port: int) -> list[Service]:
    """The services, in the order in which they are to be stopped."""
    python = sys.executable
    web = (python, "-m", "gunicorn", "--config", "python:config.web", "config.wsgi")
    worker = (python, str(settings.BASE_DIR / "manage.py"), "worker")
    ours = {
        "PLUMBLINE_PORT": str(port),  # the worker tells others where to call back
        "PLUMBLINE_DATABASE_START": "false",
    }
    listed = [
        Service("web", web, _log("web"), ours),
        Service("worker", worker, _log("worker"), ours, grace=15),
    ]
    if settings.USES_SANDBOX:
        listed.append(sandbox())
    return listed


def sandbox() -> Service:
    """The sandbox orchestrator, on the demo tenants' state under the data directory."""
    state = str(settings.DATA_DIR / "sandbox.sqlite3")
    command = (sys.executable, "-m", "sandbox", "--port", str(settings.SANDBOX_PORT), "--state", state)
    secrets = {
        "PLUMBLINE_ORCHESTRATOR_TOKEN": settings.ORCHESTRATOR_TOKEN,
        "PLUMBLINE_CALLBACK_SECRET": " ".join(settings.CALLBACK_SECRETS),
    }
    return Service("sandbox", command, _log("sandbox"), secrets)


def _log(service: str) -> Path:
    """The file for what a service says; a long one is set aside."""
    path: Path = settings.DATA_DIR / "logs" / f"{service}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > postgres.LOG_LIMIT:
        path.rename(path.with_suffix(".log.1"))
    return path


def prepare() -> None:
    """Bring the database up to date, collect the static files, and fill an empty database with the demo."""
    call_command("migrate", interactive=False, verbosity=0)
    assets.collect()
    if not apps.get_model("tenants", "Group")._default_manager.exists():
        with _logging_to(_log("demo")):
            call_command("load_demo", "--no-welcome")  # that is said once the console answers
    connections.close_all()


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Write the log here meanwhile: a thousand decisions would drown what the terminal has to say."""
    handlers = [handler for handler in logging.root.handlers if type(handler) is logging.StreamHandler]
    with path.open("a") as stream:
        before = [handler.setStream(stream) for handler in handlers]
        try:
            yield
        finally:
            for handler, previous in zip(handlers, before, strict=True):
                if previous is not None:
                    handler.setStream(previous)


def keep_database() -> None:
    """Start the embedded server again if it died; its users wait for that."""
    if not database_url():
        postgres.ensure_running(settings.DATA_DIR)


def answers(port: int) -> bool:
    """Whether the web server answers yet."""
    host = "127.0.0.1" if settings.HOST == "0.0.0.0" else settings.HOST
    # The name that it may insist on is not this one's to know; an answer of refusal is an answer.
    try:
        urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=2).close()
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except (OSError, http.client.HTTPException):  # nobody, or somebody who speaks otherwise
        return False
    return True


def refuse_taken(host: str, port: int, *, chosen_by: str) -> None:
    """Say it now if somebody else listens on the port, rather than start a service that can't live."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken. Choose another one with {chosen_by}; see docs/configuration.md."
            ) from None


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Refuse to run twice on one data directory."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(f"Plumbline runs already on {data_dir} (process {lock.read()}).") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def guarded_database(data_dir: Path) -> Iterator[None]:
    """Stop the embedded database afterwards unless others use it, even if this process is killed."""
    if database_url():
        yield
        return
    # It hears of our end through its input, which the kernel closes.
    with subprocess.Popen(
        (sys.executable, "-m", "config.guard", str(data_dir)),
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            connections.close_all()
            postgres.stop_when_unused(data_dir, patience=5)
            guard.kill()
