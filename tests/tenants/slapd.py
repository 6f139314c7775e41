"""A real LDAP server for one file of tests: unprivileged, on a port of its own, stopped by its id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ldap3 import NONE, Connection, Server

from config.env import BASE_DIR
from config.ldap import LdapServer
from tests.ports import free_port

FETCHED = BASE_DIR / ".venv" / "slapd"
SUFFIX = "dc=example,dc=org"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "not a real secret"
READY_WITHIN = 20.0
# Who asks: with pages of two entries for all of them, and without a way to have more than two.
READER, LIMITED = f"cn=reader,{SUFFIX}", f"cn=limited,{SUFFIX}"

CONFIGURATION = """
include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
modulepath {root}/usr/lib/ldap
moduleload back_mdb
pidfile {home}/slapd.pid
TLSCertificateFile {home}/server.crt
TLSCertificateKeyFile {home}/server.key
sizelimit 1000
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw "{password}"
directory {home}/data
limits dn.exact="{reader}" size=2 size.prtotal=unlimited
limits dn.exact="{limited}" size=2 size.prtotal=2
access to attrs=userPassword by anonymous auth by * none
access to * by anonymous none by * read
"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """The running server: as the product is told of it, and a door for the test to write by."""

    server: LdapServer
    process: subprocess.Popen[bytes]

    def connect(self) -> Connection:
        """As the administrator, who may write."""
        server = Server(self.server.host, port=self.server.port, get_info=NONE)
        return Connection(server, ADMIN, PASSWORD, auto_bind=True, raise_exceptions=True)


@contextmanager
def running() -> Iterator[Slapd]:
    """A server with an empty tree, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="slapd-"))
    port = free_port()
    try:
        process = _start(home, port)
        try:
            ldap = LdapServer("localhost", port, "none", str(home / "server.crt"), ADMIN, PASSWORD)
            _await(process, port, home)
            yield Slapd(ldap, process)
        finally:
            process.terminate()
            process.wait(timeout=20)
    finally:
        shutil.rmtree(home)


def _start(home: Path, port: int) -> subprocess.Popen[bytes]:
    root = FETCHED if FETCHED.exists() else Path("/")
    as_root = os.getuid() == 0
    if as_root and not _open_to_all(root):
        root = Path(shutil.copytree(root, home / "programs"))
    (home / "data").mkdir()
    _certificate(home)
    names = {"suffix": SUFFIX, "admin": ADMIN, "password": PASSWORD, "reader": READER, "limited": LIMITED}
    (home / "slapd.conf").write_text(CONFIGURATION.format(root=str(root).rstrip("/"), home=home, **names))
    if as_root:
        for path in (home, home / "data", home / "server.key", home / "server.crt", home / "slapd.conf"):
            shutil.chown(path, "nobody", "nogroup")
    library = root / "usr" / "lib"
    libraries = ":".join(str(path) for path in (library, *library.glob("*-linux-gnu")))
    return subprocess.Popen(
        [root / "usr/sbin/slapd", "-d", "256", "-f", home / "slapd.conf", "-h", f"ldap://127.0.0.1:{port}/"],
        env={"LD_LIBRARY_PATH": libraries, "PATH": "/usr/bin:/bin"},
        stderr=(home / "log").open("wb"),
        user="nobody" if as_root else None,
        group="nogroup" if as_root else None,
    )


def _open_to_all(path: Path) -> bool:
    """Whether another account may go there."""
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (path.resolve(), *path.resolve().parents))


def _certificate(home: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    kind = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(home / "server.key"), "-out", str(home / "server.crt")]
    subprocess.run(["openssl", "req", *kind, *subject, *files], check=True, capture_output=True)


def _await(process: subprocess.Popen[bytes], port: int, home: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"slapd didn't start: {(home / 'log').read_text()}")
