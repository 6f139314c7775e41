"""`python -m config.guard <data directory>`: stops the embedded PostgreSQL when its supervisor is gone.

The supervisor holds the other end of our standard input. However it ends, be it by SIGKILL, the kernel closes
that; the guard then waits for the supervisor's children, which die with it, to leave the database.
"""

import signal
import sys
from pathlib import Path

from config import postgres

PATIENCE = 30


def main() -> None:
    """Wait for the end of the supervisor, and stop the server unless somebody else uses it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    postgres.stop_when_unused(Path(sys.argv[1]), patience=PATIENCE)


if __name__ == "__main__":
    main()
