"""What simulations foretell comes to pass: on a part of the real fleet, with everything running."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.product import Product

LOAD = """
from django.utils import timezone
from demo import reduced
reduced.load(at=timezone.now())
"""


@pytest.fixture
def fleet(product: Product) -> Product:
    """The running product with a part of the real fleet beside the scenario group."""
    product.manage("shell", "-c", LOAD)
    return product


def test_random_changes_come_as_foretold_down_to_the_last_finding(fleet: Product) -> None:
    asked = ("--group", "eclipse", "--changes", "6", "--seed", "11")
    found: dict[str, Any] = fleet.json("check_accuracy", *asked, codes=(0, 3))

    assert [one["disagreements"] for one in found["each"]] == [{}] * 6
    assert (found["agreeing"], found["accuracy"]) == (6, 1.0)
    # They say something only where something came of them.
    assert found["making_a_difference"] >= 3
    assert found["tasks"] >= 1


def test_applied_after_the_world_moved_it_is_refused_with_what_moved(installed: Product) -> None:
    first = installed.json("policy", "simulate", "--group", "powerx", "--retire", "core-align", codes=(3,))
    installed.json("version_policy_sync", "--group", "powerx")

    refused = installed.json(
        "policy", "apply", "--group", "powerx", "--simulation", str(first["number"]), codes=(5,)
    )

    assert "what the tenants run" in refused["error"]
    assert installed.json("policy", "list", "--group", "powerx")["policies"][0]["status"] == "active"
