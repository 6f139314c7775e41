"""Whoever connects finds the embedded PostgreSQL running: it is started on demand."""

from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base

from config import postgres
from config.embedded import superuser
from config.env import env


class DatabaseWrapper(base.DatabaseWrapper):
    """Fills in where the embedded server listens, which is known only once it runs."""

    def get_connection_params(self) -> dict[str, Any]:
        """The parameters of a connection to the embedded server, which is started if it doesn't run."""
        server = _server()
        parameters: dict[str, Any] = super().get_connection_params()
        return parameters | {"host": superuser.HOST, "port": server.port, "password": server.password}


def _server() -> postgres.Server:
    """The running server. A supervised service leaves the starting to its supervisor.

    Otherwise one that is slow to end would start the server again that its supervisor has just stopped.
    """
    if env.bool("PLUMBLINE_DATABASE_START", default=True):
        return postgres.ensure_running(settings.DATA_DIR)
    server = postgres.status(settings.DATA_DIR)
    if server is None:
        raise OperationalError("The embedded PostgreSQL isn't running, and its supervisor is to start it.")
    return server
