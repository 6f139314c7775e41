"""The embedded PostgreSQL: real servers in directories of their own."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import postgres
from config.embedded import place, superuser
from config.env import BASE_DIR

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server under another account")


def _connect(server: postgres.Server, **other: Any) -> psycopg.Connection[Any]:
    parameters = {
        "host": superuser.HOST,
        "port": server.port,
        "user": superuser.OWNER,
        "password": server.password,
        "dbname": superuser.OWNER,
        "autocommit": True,
        **other,
    }
    return psycopg.connect(**parameters)


def _ask(server: postgres.Server, query: str) -> Any:
    with _connect(server) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)


@pytest.fixture
def server(data_dir: Path) -> postgres.Server:
    return postgres.ensure_running(data_dir)


def test_it_runs_as_asked_for(server: postgres.Server) -> None:
    settings = {
        name: _ask(server, f"SHOW {name}") for name in ("jit", "synchronous_commit", "listen_addresses")
    }
    assert settings == {"jit": "off", "synchronous_commit": "on", "listen_addresses": "127.0.0.1"}
    locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
    assert _ask(server, locale) == "bC.UTF-8"
    assert int(_ask(server, "SHOW server_version_num")) >= 180000


def test_plumbline_is_no_superuser_but_may_make_its_test_databases(server: postgres.Server) -> None:
    assert _ask(server, "SELECT NOT rolsuper AND rolcreatedb FROM pg_roles WHERE rolname = current_user")


@pytest.mark.parametrize("other", [{"password": "guessed"}, {"user": "postgres", "password": ""}])
def test_nobody_gets_in_without_the_password(server: postgres.Server, other: dict[str, str]) -> None:
    with pytest.raises(
        psycopg.OperationalError, match=r"password authentication failed|no password supplied"
    ):
        _connect(server, **other)


def test_passwords_are_for_their_owner_only(server: postgres.Server, data_dir: Path) -> None:
    secrets = list((data_dir / "postgres" / "secrets").iterdir())
    assert {path.name for path in secrets} == {"postgres", "plumbline"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_a_running_server_is_left_alone(server: postgres.Server, data_dir: Path) -> None:
    assert postgres.ensure_running(data_dir) == server
    assert postgres.status(data_dir) == server


def test_stopping_twice_says_so_and_the_data_stays(server: postgres.Server, data_dir: Path) -> None:
    with _connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    assert postgres.stop(data_dir)
    assert not postgres.stop(data_dir)
    assert postgres.status(data_dir) is None
    again = postgres.ensure_running(data_dir)
    assert again.port == server.port
    assert _ask(again, "SELECT n FROM kept") == 1


def test_a_killed_server_comes_back_with_its_data(server: postgres.Server, data_dir: Path) -> None:
    with _connect(server) as connection:
        connection.execute("CREATE TABLE survives AS SELECT 2 AS n")
    _kill(server.pid)
    assert postgres.status(data_dir) is None
    assert _ask(postgres.ensure_running(data_dir), "SELECT n FROM survives") == 2


def test_a_dead_servers_number_that_another_program_got_is_no_server(
    server: postgres.Server, data_dir: Path
) -> None:
    _kill(server.pid)
    note = server.cluster / "postmaster.pid"
    stranger = subprocess.Popen(["sleep", "60"], user=note.owner() if os.geteuid() == 0 else None)
    try:
        note.write_text(note.read_text().replace(str(server.pid), str(stranger.pid), 1))
        assert postgres.status(data_dir) is None
        assert postgres.ensure_running(data_dir).pid != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_that_somebody_took_is_exchanged(server: postgres.Server, data_dir: Path) -> None:
    postgres.stop(data_dir)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((superuser.HOST, server.port))
        squatter.listen()
        moved = postgres.ensure_running(data_dir)
    assert moved.port != server.port
    assert _ask(moved, "SELECT 1") == 1


def test_it_isnt_stopped_under_those_who_use_it(server: postgres.Server, data_dir: Path) -> None:
    with _connect(server):
        assert not postgres.stop_when_unused(data_dir, patience=0.3)
        assert postgres.status(data_dir) == server
    assert postgres.stop_when_unused(data_dir)
    assert postgres.status(data_dir) is None


def test_an_unfinished_beginning_is_begun_again(data_dir: Path, tmp_path: Path) -> None:
    postgres.stop(data_dir)
    cluster = data_dir / "postgres" / "cluster"
    shutil.rmtree(cluster)
    (data_dir / "postgres" / "cluster.new").mkdir()
    (data_dir / "postgres" / "cluster.new" / "PG_VERSION").touch()
    (data_dir / "postgres" / "password.new").touch()
    assert _ask(postgres.ensure_running(data_dir), "SELECT 1") == 1
    assert not (data_dir / "postgres" / "password.new").exists()


def test_one_of_many_starters_starts_it(data_dir: Path) -> None:
    postgres.stop(data_dir)
    program = (
        "import sys; from pathlib import Path; from config import postgres;"
        "print(postgres.ensure_running(Path(sys.argv[1])).pid)"
    )
    command = [sys.executable, "-c", program, str(data_dir)]
    starters = [subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    running = postgres.status(data_dir)
    assert running is not None
    assert answers == {str(running.pid)}


def test_two_directories_have_two_servers(server: postgres.Server, tmp_path: Path, apart: Path) -> None:
    other = postgres.ensure_running(tmp_path)
    try:
        assert other.port != server.port
        assert other.password != server.password
        with pytest.raises(psycopg.OperationalError):
            _connect(server, port=other.port)
    finally:
        postgres.stop(tmp_path)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for the place that root uses when the data directory is closed to the server's account."""
    path = Path(tempfile.mkdtemp(prefix="plumbline-apart-"))
    path.chmod(0o755)
    monkeypatch.setattr(place, "APART", path)
    yield path
    shutil.rmtree(path)


@as_root
def test_a_closed_directory_stays_closed(tmp_path: Path, apart: Path) -> None:
    tmp_path.chmod(0o700)
    server = postgres.ensure_running(tmp_path)
    try:
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        assert apart in server.cluster.parents
        assert server.cluster.owner() in place.ACCOUNTS
        assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700
        assert postgres.ensure_running(tmp_path) == server
    finally:
        postgres.stop(tmp_path)


@as_root
def test_the_server_runs_under_an_unprivileged_account(server: postgres.Server) -> None:
    assert Path(f"/proc/{server.pid}").stat().st_uid == pwd.getpwnam(server.cluster.owner()).pw_uid != 0


def test_a_copy_of_the_programs_runs_by_itself(apart: Path) -> None:
    copy = place.copied(place.installed(), apart)
    assert place.copied(place.installed(), apart) == copy
    for program in ("postgres", "psql"):
        said = subprocess.run(
            [copy / "bin" / program, "--version"], capture_output=True, text=True, check=True
        )
        assert "(PostgreSQL) 18" in said.stdout


def test_a_failure_to_start_carries_the_servers_own_words(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.stop(data_dir)
    monkeypatch.setitem(postgres.TUNING, "shared_buffers", "plenty")
    with pytest.raises(postgres.PostgresError, match="invalid value for parameter"):
        postgres.ensure_running(data_dir)


def test_what_was_written_is_put_on_disk_when_that_is_asked_for(
    data_dir: Path, server: postgres.Server
) -> None:
    query = "SELECT redo_lsn FROM pg_control_checkpoint()"
    with superuser.connect(data_dir / "postgres", server.port) as connection:
        [before] = connection.execute(query).fetchone() or ()
        connection.execute("CREATE TABLE written AS SELECT generate_series(1, 1000)")
        postgres.write_to_disk(data_dir)
        [after] = connection.execute(query).fetchone() or ()
        connection.execute("DROP TABLE written")
    assert after != before


def test_nothing_is_put_on_disk_by_a_server_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(postgres.PostgresError, match="doesn't run"):
        postgres.write_to_disk(tmp_path)
