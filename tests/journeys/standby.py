"""Management commands, each in a process of its own that begins with the product loaded.

To load it takes most commands longer than what they do. So a process loads it once for an installation, waits
for commands, and forks for each.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 300  # seconds that a command may take, on a machine that does other things as well
# What journeys ask for most; what they ask for besides is loaded by the command itself.
LOADED = ("calendar", "policy", "shell", "snapshot", "token", "version_policy_sync")


class Standby:
    """The process that waits, as those who give it commands know it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """What comes of `manage.py` with these arguments."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            said, complained = Path(folder, "stdout"), Path(folder, "stderr")
            self._process.stdin.write(json.dumps([[str(said), str(complained)], arguments]) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, said.read_text(), complained.read_text())

    def end(self) -> None:
        """Let it go."""
        self._process.communicate()


def main() -> None:
    """Carry out one command after the other, and tell the code that each exits with."""
    _load()
    for line in sys.stdin:
        outputs, arguments = json.loads(line)
        command = os.fork()
        if not command:
            _become(outputs)
            _execute(arguments)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])}\n")
        sys.stdout.flush()


def _load() -> None:
    import django
    from django.core import management

    django.setup()
    for name in LOADED:
        management.load_command_class(management.get_commands()[name], name)
    importlib.import_module("config.urls")
    gc.freeze()  # so that no command's collector looks through all of it


def _become(outputs: Sequence[str]) -> None:
    """Have what a process that is started for a command has: somewhere to write, nothing to read, an end."""
    for descriptor, path in ((0, os.devnull), *enumerate(outputs, 1)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    signal.alarm(WITHIN)


def _execute(arguments: Sequence[str]) -> None:
    from django.core.management import execute_from_command_line

    sys.argv = ["manage.py", *arguments]
    execute_from_command_line(sys.argv)
    sys.exit()


if __name__ == "__main__":
    main()
