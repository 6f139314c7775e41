"""The house rules that hold for every template, whether or not a test draws it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from config import icons

ROOT = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
# What becomes a message or a PDF file is never served as a page, so its styles may stand in it.
SERVED = [name for name in PAGES if not name.endswith(("mail.html", "pdf.html"))]


@pytest.mark.parametrize("name", PAGES)
def test_a_template_can_be_read(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", SERVED)
def test_a_page_has_nothing_that_the_content_security_policy_refuses(name: str) -> None:
    source = (ROOT / name).read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|\shx-on|javascript:", source) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_template_names_only_icons_that_are_there(name: str) -> None:
    source = (ROOT / name).read_text()
    named = set(re.findall(r"""{% icon ["']([^"']+)""", source)) | set(
        re.findall(r'with icon="([^"]+)"', source)
    )
    assert named - icons.names() == set()
