"""`manage.py database`, for minding the embedded server by hand."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from config import postgres

Manage = Callable[..., subprocess.CompletedProcess[str]]


def test_it_starts_shows_and_stops_the_server(manage: Manage, data_dir: Path) -> None:
    assert manage("database", "status").returncode == 3
    assert manage("database", "start").returncode == 0
    server = postgres.status(data_dir)
    assert server is not None
    assert f"port {server.port}" in manage("database", "status").stdout
    assert "stopped" in manage("database", "stop").stdout
    assert "wasn't running" in manage("database", "stop").stdout


def test_another_command_that_needs_it_starts_it_and_leaves_it_running(
    manage: Manage, data_dir: Path
) -> None:
    program = "from django.db import connection; connection.ensure_connection(); print('connected')"
    assert "connected" in manage("shell", "-v0", "-c", program).stdout
    server = postgres.status(data_dir)
    assert server is not None
    assert "connected" in manage("shell", "-v0", "-c", program).stdout
    assert postgres.status(data_dir) == server


def test_a_service_that_may_not_start_it_says_that_it_is_stopped(manage: Manage, data_dir: Path) -> None:
    postgres.stop(data_dir)
    program = "from django.db import connection; connection.ensure_connection()"
    answer = manage("shell", "-v0", "-c", program, PLUMBLINE_DATABASE_START="false")
    assert "OperationalError: The embedded PostgreSQL isn't running" in answer.stderr
    assert postgres.status(data_dir) is None


def test_the_shell_is_psql_on_plumblines_database(manage: Manage) -> None:
    answer = manage("database", "shell", input="SELECT current_database(), current_user;")
    assert "plumbline        | plumbline" in answer.stdout, answer.stderr


def test_with_a_database_of_ones_own_there_is_nothing_to_mind(manage: Manage) -> None:
    own = {
        "DATABASE_URL": "postgres://me@db.invalid/plumbline",
        "PLUMBLINE_SECRET_KEY": "x" * 50,
        "PLUMBLINE_ORCHESTRATOR_TOKEN": "x",
        "PLUMBLINE_CALLBACK_SECRET": "whsec_eA==",
    }
    answer = manage("database", "start", **own)
    assert answer.returncode == 1
    assert "database of your own" in answer.stderr
