"""What the tests of governance stand on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from governance.reports import pdf
from tests.governance.commanding import FREEZE, Answer, shell, write
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


@pytest.fixture
def run_policy(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Runs `manage.py policy` on the acme group, as a shell would, at AT."""
    return shell(capsys, monkeypatch)


@pytest.fixture
def align_files(tmp_path: Path) -> Path:
    """The folder with the files that want both tenants aligned."""
    return write(tmp_path)


@pytest.fixture
def freeze_file(tmp_path: Path) -> Path:
    """A file, elsewhere, that holds a tenant where it is."""
    path = tmp_path / "hold" / "hold.yaml"
    path.parent.mkdir()
    path.write_text(FREEZE)
    return path
