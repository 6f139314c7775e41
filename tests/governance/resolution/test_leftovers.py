"""What deciding leaves behind is gone at once: an evaluation decides a great deal and looks for no cycles."""

from __future__ import annotations

import gc

import pytest

from governance.resolution import decide
from governance.resolution.deciding import decide_whole
from tests.governance.resolution.test_best import a_world


@pytest.mark.parametrize("seed", range(12))
def test_nothing_of_a_decision_waits_for_the_search_for_cycles(seed: int) -> None:
    situation = a_world(seed).situation()
    decide(situation)  # what is remembered for good is made
    while gc.collect():  # what earlier tests have left may leave more behind as it goes
        pass
    gc.disable()
    try:
        for _ in range(5):
            decide_whole(situation)
        assert gc.collect() == 0
    finally:
        gc.enable()
