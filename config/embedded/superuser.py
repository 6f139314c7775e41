"""What only the embedded server's superuser may do; Plumbline's own role is none."""

from pathlib import Path

import psycopg
from psycopg import sql

from config.env import kept_secret

HOST = "127.0.0.1"
OWNER = "plumbline"
SUPERUSER = "postgres"


def secret(home: Path, role: str) -> str:
    """The password of a role, made when it is asked for first."""
    return kept_secret(home / "secrets" / role)


def connect(home: Path, port: int) -> psycopg.Connection[tuple[int, ...]]:
    """A connection of the superuser's in which each statement is a transaction."""
    password = secret(home, SUPERUSER)
    return psycopg.connect(
        host=HOST, port=port, user=SUPERUSER, password=password, dbname="postgres", autocommit=True
    )


def prepare(home: Path, port: int) -> None:
    """Make the role that owns Plumbline's database, no superuser, and the database."""
    password = secret(home, OWNER)
    role = sql.Identifier(OWNER)
    with connect(home, port) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        query = "ALTER ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}"
        connection.execute(sql.SQL(query).format(role, sql.Literal(password)))
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [OWNER]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))


def in_use(home: Path, port: int) -> bool:
    """Whether anybody else is connected."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with connect(home, port) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] > 0


def write_to_disk(home: Path, port: int) -> None:
    """Have all that is changed in memory alone written to disk now rather than bit by bit later."""
    with connect(home, port) as connection:
        connection.execute("CHECKPOINT")
