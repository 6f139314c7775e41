"""What the orchestrator says of open tasks, compared with what is known here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from audit.models import OutboxMessage
from config.access import SYSTEM
from governance import orchestrator, upgrades
from governance.models import UpgradeTask
from governance.orchestrator import OrderStatus
from tests.factories import AT
from tests.governance.reconciling import LATER, House, settle_in
from tests.ground import Kind

Spoil = Callable[[House], object]


SCENE = Kind(settle_in)


@pytest.fixture
def house(standing_scene: House) -> House:
    return standing_scene


@pytest.mark.parametrize(
    ("stands", "said", "kind", "becomes"),
    [
        ("dispatched", "accepted", "order", "accepted"),
        ("accepted", "running", "order", "running"),
        ("accepted", "succeeded", "order", "verifying"),
        ("running", "cancelled", "order", "cancelled"),
        ("accepted", "accepted", None, "accepted"),
        ("running", "accepted", "order_behind", "running"),
        ("accepted", None, "order_unknown", "accepted"),
    ],
)
def test_the_orchestrator_is_asked_about_each_open_task(
    house: House,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    stands: str,
    said: str | None,
    kind: str | None,
    becomes: str,
) -> None:
    settings.ORCHESTRATOR_URL = "https://orchestrator.example.org"
    OutboxMessage.objects.update(status="delivered", response={"id": "order-1"})
    task = house.task
    upgrades.move(task, UpgradeTask.Status(stands), actor=SYSTEM, at=AT, order_id="order-1") if (
        stands != "dispatched"
    ) else UpgradeTask.objects.update(order_id="order-1")

    def ask(order_id: str) -> OrderStatus:
        request = httpx.Request("GET", "https://orchestrator.example.org")
        if said is None:
            raise httpx.HTTPStatusError("", request=request, response=httpx.Response(404, request=request))
        return OrderStatus(order_id, str(task.pk), said, "", LATER)

    monkeypatch.setattr(orchestrator, "ask", ask)
    assert house.kinds() == ([kind] if kind else [])
    row = house.reconcile(apply=True)
    assert row.left == (kind in {"order_behind", "order_unknown"})
    assert house.task.status == becomes


def test_an_orchestrator_that_is_away_is_no_disagreement_but_is_told(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORCHESTRATOR_URL = "https://orchestrator.example.org"
    upgrades.move(house.task, UpgradeTask.Status.ACCEPTED, actor=SYSTEM, at=AT, order_id="order-1")
    OutboxMessage.objects.update(status="delivered", response={"id": "order-1"})

    def away(_order_id: str) -> OrderStatus:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr(orchestrator, "ask", away)
    row = house.reconcile()
    assert (row.disagreements, row.unanswered) == ([], 1)


def test_without_an_orchestrator_its_own_receiver_is_asked(house: House, settings: Any) -> None:
    settings.ORCHESTRATOR_URL = ""
    upgrades.move(house.task, UpgradeTask.Status.ACCEPTED, actor=SYSTEM, at=AT, order_id="order-1")
    OutboxMessage.objects.update(status="delivered", response={"id": "order-1"})
    assert house.kinds() == ["order_unknown"]
