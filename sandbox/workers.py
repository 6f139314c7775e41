"""Threads that do one thing again and again until there is none left, then wait to be woken."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sandbox.callbacks import Courier
from sandbox.faults import Absence, SettingsStore
from sandbox.orders import OrderBook

log = logging.getLogger("sandbox.workers")

LOOK_SECONDS = 0.25  # between two looks for a retry that is due, or a cancellation


class Pool:
    """So many threads calling `work`, which says whether there was anything to do."""

    def __init__(self, name: str, size: int, work: Callable[[], bool]) -> None:
        self._work = work
        self._calls = 0
        self._stopping = False
        self._called = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(size)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        with self._called:
            self._calls += 1
            self._called.notify_all()

    def stop(self, seconds: float) -> None:
        """Ask the threads to end and wait a little; one stuck in a slow call dies with the process."""
        with self._called:
            self._stopping = True
            self._called.notify_all()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def sleep(self, seconds: float) -> bool:
        """Wait so long, whatever wakes the pool; False as soon as it stops."""
        with self._called:
            return not self._called.wait_for(lambda: self._stopping, seconds)

    def _run(self) -> None:
        while not self._stopping:
            calls = self._calls
            if not self._work_once():
                self._await_call(calls)

    def _await_call(self, calls: int) -> None:
        """Wait a little, but not at all if a call came since `calls`: the last look may have missed it."""
        with self._called:
            self._called.wait_for(lambda: self._stopping or self._calls != calls, LOOK_SECONDS)

    def _work_once(self) -> bool:
        try:
            return self._work()
        except Exception:
            # one bad piece of work must not end the thread; it stays claimed until the next start
            log.exception("work failed")
            return False


class OrderWorkers:
    """Carry orders out, each after the delay that is set."""

    def __init__(
        self, size: int, orders: OrderBook, settings: SettingsStore, absence: Absence, announce: Pool
    ) -> None:
        self._orders = orders
        self._settings = settings
        self._absence = absence
        self._announce = announce
        self.pool = Pool("orders", size, self._carry_out_next)

    def _carry_out_next(self) -> bool:
        order = None if self._absence.seconds_left() else self._orders.claim()
        if order is None:
            return False
        self._announce.wake()
        deadline = time.monotonic() + self._settings.load().delay_seconds
        while (left := max(deadline - time.monotonic(), self._absence.seconds_left())) > 0:
            if not self.pool.sleep(min(left, LOOK_SECONDS)) or not self._orders.is_running(order):
                return True
        self._orders.finish(order)
        self._announce.wake()
        return True


def callback_pool(size: int, courier: Courier) -> Pool:
    return Pool("callbacks", size, courier.deliver_next)
