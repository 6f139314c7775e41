"""Python's search for objects that only refer to each other."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for none meanwhile: for work that makes a great many objects, nearly all of which it keeps.

    Each search goes through all of them, which takes a fifth of an evaluation. It is for the whole process.
    """
    searches = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searches:  # else it is another thread's to begin again
            gc.enable()
