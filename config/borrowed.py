"""Services that a single command needs for as long as it runs."""

import contextlib
import time
from collections.abc import Iterator

from django.conf import settings

from config import launch
from config.supervisor import Child

READY_WITHIN = 15.0  # seconds


class NotReady(Exception):
    """A service didn't answer in time; its log says why."""


@contextlib.contextmanager
def sandbox() -> Iterator[None]:
    """The sandbox orchestrator, where it is the one to use: the running one, else one of our own meanwhile.

    So a command works right after the set-up, as it does beside `manage.py run`. Raises NotReady.
    """
    if not settings.USES_SANDBOX or launch.answers(settings.SANDBOX_PORT):
        yield
        return
    child = Child(launch.sandbox())
    try:
        _await(child)
        yield
    finally:
        child.end()


def _await(child: Child) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not launch.answers(settings.SANDBOX_PORT):
        child.tend()
        if time.monotonic() > deadline:
            raise NotReady(
                f"The sandbox orchestrator didn't start; see {child.service.log}. If something else listens "
                f"on port {settings.SANDBOX_PORT}, set PLUMBLINE_SANDBOX_PORT to another one."
            )
        time.sleep(0.05)
