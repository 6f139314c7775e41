"""Sandboxes that break one promise of the contract each."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from sandbox.callbacks import Callback
from sandbox.contract import OrderRequest
from sandbox.orders import Order, OrderBook
from sandbox.problems import not_found
from sandbox.server import Handler, Options, Sandbox

_numbers = itertools.count()


class IgnoresKeys(Sandbox):
    """Every request is an order of its own."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)

        class Book(OrderBook):
            def place(self, request: OrderRequest, key: str) -> str:
                return super().place(request, f"{key} {next(_numbers)}")

        self.orders = Book(self.fleet, self.settings)


class KeepsKeysButNotWhatWasAsked(Sandbox):
    """A key gives its first order, whatever comes with it."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)

        class Book(OrderBook):
            def place(self, request: OrderRequest, key: str) -> str:
                row = self._database.row("SELECT id FROM orders WHERE idempotency_key = ?", (key,))
                return super().place(request, key) if row is None else str(row["id"])

        self.orders = Book(self.fleet, self.settings)


class ForgetsOrders(Sandbox):
    """What has ended is gone."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)

        class Book(OrderBook):
            def get(self, order_id: str) -> Order:
                order = super().get(order_id)
                if order.finished_at is not None:
                    raise not_found("It has ended")
                return order

        self.orders = Book(self.fleet, self.settings)


class PretendsToCancel(Sandbox):
    """A cancel is answered with 200, and the order goes on."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)

        class Book(OrderBook):
            def cancel(self, order_id: str) -> Order:
                return self.get(order_id)

        self.orders = Book(self.fleet, self.settings)


class SignsWrongly(Sandbox):
    """With a secret of its own."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._courier._webhook = Webhook("whsec_b3RoZXI=")


class HasAWrongClock(Sandbox):
    """Its callbacks are from ten minutes ago, though rightly signed."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        post = self._courier._client.post

        def late(url: str, *, content: str, headers: dict[str, str]) -> Any:
            stamp = datetime.now(UTC) - timedelta(minutes=10)
            signed = Webhook(options.secret).sign(headers["webhook-id"], stamp, content)
            changed = {"webhook-timestamp": str(int(stamp.timestamp())), "webhook-signature": signed}
            return post(url, content=content, headers={**headers, **changed})

        self._courier._client.post = late  # type: ignore[method-assign, assignment]


class NamesEachAttempt(Sandbox):
    """A repeated callback has another id, so that nobody can tell that it is the same."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        post = self._courier._post

        def renamed(callback: Callback, webhook: Webhook) -> str | None:
            return post(replace(callback, message_id=f"msg_{next(_numbers)}"), webhook)

        self._courier._post = renamed  # type: ignore[method-assign]


class LeavesItsDoorOpen(Sandbox):
    """It takes any token."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)

        class Open(Handler):
            def _authenticate(self) -> None:
                """Come in."""

        self._server.RequestHandlerClass = Open
