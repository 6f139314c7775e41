"""The search for cycles rests while a great deal is made, and goes on afterwards whatever came of it."""

import gc
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from config.garbage import uncollected


@pytest.fixture(autouse=True)
def _searching() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_nothing_is_looked_for_meanwhile_and_everything_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_looked_for_again_after_a_failure() -> None:
    with pytest.raises(LookupError), uncollected():
        raise LookupError
    assert gc.isenabled()


def test_the_last_of_several_threads_lets_it_go_on_whichever_began() -> None:
    begun, over = Event(), Event()

    def rest() -> None:
        with uncollected():
            begun.set()
            over.wait(10)

    other = Thread(target=rest)
    with uncollected():
        other.start()
        assert begun.wait(10)
    assert not gc.isenabled()
    over.set()
    other.join()
    assert gc.isenabled()


def test_whoever_rests_it_within_another_leaves_it_to_the_other_to_end_that() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
