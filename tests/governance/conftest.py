"""What the tests of governance stand on."""

import pytest

from governance.reports import pdf


@pytest.fixture(autouse=True)
def _no_paper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a page takes long; only the tests that ask for `paper` look at one."""
    if "paper" not in request.fixturenames:
        monkeypatch.setattr(pdf, "write", lambda *_, **__: b"%PDF")


@pytest.fixture
def paper() -> None:
    """The PDF is really made."""
