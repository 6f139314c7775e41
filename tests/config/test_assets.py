"""The static files, collected when they changed."""

import os
from pathlib import Path
from typing import Any

import pytest

from config import assets


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("body { color: black }")
    settings.STATIC_ROOT = tmp_path / "root"
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    return tmp_path


def test_they_are_collected_once_and_again_when_one_changed(root: Path) -> None:
    assert assets.collect()
    assert (root / "root" / "page.css").exists()
    assert not assets.collect()
    page = root / "source" / "page.css"
    page.write_text("body { color: rebeccapurple }")
    os.utime(page, (2_000_000_000, 2_000_000_000))  # the copy is made by whole seconds
    assert assets.collect()
    assert "rebeccapurple" in (root / "root" / "page.css").read_text()


def test_a_new_file_is_noticed(root: Path) -> None:
    assets.collect()
    (root / "source" / "more.css").touch()
    assert assets.collect()
