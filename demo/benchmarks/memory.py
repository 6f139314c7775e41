"""What the processes of a benchmark take of memory and processors, read off /proc while they run."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import under

EVERY = 0.2  # seconds


class Usage:
    """The peak of the largest process of each kind, and the processor time of all of that kind.

    PostgreSQL's memory includes its shared buffers.
    """

    def __init__(self) -> None:
        self._peaks: dict[tuple[str, int], int] = {}
        self._before: dict[tuple[str, int], float] = {}
        self._now: dict[tuple[str, int], float] = {}

    def peaks(self) -> dict[str, int]:
        """In MiB, by kind of process."""
        found: dict[str, int] = {}
        for (kind, _), kibibytes in self._peaks.items():
            found[kind] = max(found.get(kind, 0), round(kibibytes / 1024))
        return found

    def processor_seconds(self) -> dict[str, float]:
        """Since the first look, by kind of process."""
        found: dict[str, float] = {}
        for process, seconds in self._now.items():
            found[process[0]] = found.get(process[0], 0) + seconds - self._before.get(process, 0)
        return {kind: round(seconds, 2) for kind, seconds in found.items()}

    def look(self, roots: dict[str, int], *, first: bool = False) -> None:
        """Read what the processes under these, by their kind, have taken so far."""
        for kind, root in roots.items():
            for pid in under(root):
                if peak := _peak(pid):
                    self._peaks[kind, pid] = max(self._peaks.get((kind, pid), 0), peak)
                    self._now[kind, pid] = _seconds(pid) or self._now.get((kind, pid), 0)
        if first:
            self._before = dict(self._now)


@contextmanager
def watching(roots: dict[str, int]) -> Iterator[Usage]:
    """Look again and again until the block ends."""
    usage, done = Usage(), threading.Event()
    usage.look(roots, first=True)

    def go_on() -> None:
        while not done.wait(EVERY):
            usage.look(roots)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield usage
    finally:
        done.set()
        thread.join()


def _peak(pid: int) -> int:
    """In KiB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _seconds(pid: int) -> float:
    """Of processor time; 0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
