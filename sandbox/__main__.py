"""`python -m sandbox`: run the sandbox orchestrator until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import binascii
import fcntl
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from sandbox.server import Options, Sandbox

log = logging.getLogger("sandbox")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class JsonLines(logging.Formatter):
    """One JSON object a line, for a log collector."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "context", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    _log_to_stderr()
    with _only_one(options.state):
        _run(options)


def _run(options: Options) -> None:
    # blocked before there are threads, which inherit it, so that only sigwait below takes them
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    sandbox = Sandbox(options)
    sandbox.start()
    log.info("listening", extra={"context": {"host": options.host, "port": sandbox.port}})
    signal.sigwait(STOP_SIGNALS)
    sandbox.stop()
    log.info("stopped")


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Run the sandbox orchestrator.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010, help="0 takes a free one and logs it")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file with all its state")
    parser.add_argument("--workers", type=int, default=8, help="how many orders run at once")
    token = "PLUMBLINE_ORCHESTRATOR_TOKEN"
    parser.add_argument("--token-env", default=token, help="variable with the callers' bearer token")
    secret = "PLUMBLINE_CALLBACK_SECRET"
    parser.add_argument(
        "--secret-env",
        default=secret,
        help="variable with the callbacks' whsec_ secret; of several, the first signs",
    )
    given = parser.parse_args(arguments)
    if not os.environ.get(given.token_env):
        parser.error(f"{given.token_env} must hold the bearer token that callers send")
    secrets = os.environ.get(given.secret_env, "").split()
    if not secrets or not all(_is_secret(secret) for secret in secrets):
        parser.error(f"{given.secret_env} must hold the secret that signs callbacks: whsec_ and base64")
    return Options(
        host=given.host,
        port=given.port,
        state=given.state,
        token=os.environ[given.token_env],
        secret=secrets[0],
        workers=given.workers,
    )


def _is_secret(text: str) -> bool:
    try:
        Webhook(text)
    except (EmptyWebhookSecretError, binascii.Error):
        return False
    return text.startswith("whsec_")


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _only_one(state: Path) -> IO[str]:
    """Refuse a second server on the state file: each would take the other's orders for abandoned.

    The kernel lets go of the lock however the process ends.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = state.with_name(f"{state.name}.lock").open("w")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"Another sandbox runs on {state}")
    return lock


if __name__ == "__main__":
    main()
