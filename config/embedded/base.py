"""Whoever connects finds the embedded PostgreSQL running: it is started on demand."""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from config import postgres


class DatabaseWrapper(base.DatabaseWrapper):
    """Fills in where the embedded server listens, which is known only once it runs."""

    def get_connection_params(self) -> dict[str, Any]:
        """The parameters of a connection to the embedded server, which is started if it doesn't run."""
        server = postgres.ensure_running(settings.DATA_DIR)
        parameters: dict[str, Any] = super().get_connection_params()
        return parameters | {"host": postgres.HOST, "port": server.port, "password": server.password}
