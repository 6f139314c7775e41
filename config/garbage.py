"""Python's search for objects that only refer to each other."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for none meanwhile: for work that makes a great many objects, nearly all of which it keeps.

    Each search goes through all of them, which takes a fifth of an evaluation and a tenth of a simulation. It
    is for the whole process.
    """
    _resting.begin()
    try:
        yield
    finally:
        _resting.end()


class _Resting:
    """How many threads want it to rest; the last one lets it go on, if it did before."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0
        self._searched = True

    def begin(self) -> None:
        with self._lock:
            if not self._number:
                self._searched = gc.isenabled()
                gc.disable()
            self._number += 1

    def end(self) -> None:
        with self._lock:
            self._number -= 1
            if not self._number and self._searched:
                gc.enable()


_resting = _Resting()
