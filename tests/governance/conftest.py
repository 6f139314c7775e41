"""What the tests of governance stand on."""

from collections.abc import Iterator

import pytest

from governance.reports import pdf
from tests.sandbox.receiver import Receiver


@pytest.fixture(autouse=True)
def _no_paper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a page takes long; only the tests that ask for `paper` look at one."""
    if "paper" not in request.fixturenames:
        monkeypatch.setattr(pdf, "write", lambda *_, **__: b"%PDF")


@pytest.fixture
def paper() -> None:
    """The PDF is really made."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who takes what is sent over HTTP."""
    listening = Receiver()
    listening.start()
    yield listening
    listening.stop()
