"""How much memory each process of a benchmark takes at its peak, read off /proc while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY = 0.2  # seconds


class Peaks:
    """The peak of the largest process of each kind, in MiB; PostgreSQL's include its shared buffers."""

    def __init__(self) -> None:
        self._by_process: dict[tuple[str, int], int] = {}

    def figures(self) -> dict[str, int]:
        """By kind of process."""
        found: dict[str, int] = {}
        for (kind, _), kibibytes in self._by_process.items():
            found[kind] = max(found.get(kind, 0), round(kibibytes / 1024))
        return found

    def look(self, roots: dict[str, int]) -> None:
        """Read what the processes under these, by their kind, have taken at most so far."""
        parents = _parents()
        for kind, root in roots.items():
            for pid in _under(root, parents):
                if peak := _peak(pid):
                    self._by_process[kind, pid] = max(self._by_process.get((kind, pid), 0), peak)


@contextmanager
def watching(roots: dict[str, int]) -> Iterator[Peaks]:
    """Look again and again until the block ends."""
    peaks, done = Peaks(), threading.Event()

    def go_on() -> None:
        while not done.wait(EVERY):
            peaks.look(roots)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name, in brackets, may hold anything.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(folder.name)] = int(fields[1])
    return found


def _under(root: int, parents: dict[int, int]) -> Iterator[int]:
    waiting = [root]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [pid for pid, parent in parents.items() if parent == one]


def _peak(pid: int) -> int:
    """In KiB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
