"""The processes of a throwaway installation, read off /proc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def under(root: int) -> Iterator[int]:
    """A process and all that it and its own started."""
    parents = _parents()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [pid for pid, parent in parents.items() if parent == one]


def service(supervisor: int, word: str) -> int | None:
    """The process that a supervisor keeps whose command line has the word; None while there is none."""
    for pid, parent in _parents().items():
        if parent == supervisor and word in _command(pid):
            return pid
    return None


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name, in brackets, may hold anything.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":  # that one has ended and waits to be fetched
                found[int(folder.name)] = int(fields[1])
    return found


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
