"""Every page that links lead to, in a real browser: no errors, no barriers, nothing that doesn't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from tests.journeys.product import Product

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDENTITY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
DOWNLOADS = re.compile(r"/reports/[^/]+/[a-z]+/$")
HOME = "/g/powerx/home/"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINKS = "[...document.querySelectorAll('a[href]')].map(a => a.origin == location.origin ? a.pathname : '')"


@pytest.fixture
def eventful(installed: Product) -> Product:
    """The running product after a run that stands at a conflict."""
    installed.start()
    installed.manage("policy", "apply", "config/version/scenarios/d2_hold.yaml", "--group", "powerx")
    installed.manage("version_policy_sync", "--group", "powerx", "--skip-config", codes=(0, 4))
    return installed


@contextmanager
def signed_in(product: Product, username: str, *, width: int, theme: str) -> Iterator[tuple[Page, list[str]]]:
    """A page of someone who has signed in, and what the browser complains about."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
        )
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{product.url}/login/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", product.password())
        page.click("button[type=submit]")
        page.wait_for_load_state()
        yield page, complaints
        browser.close()


def pages(page: Page, url: str) -> Iterator[str]:
    """Go to each page that links lead to from the home page, once for each sort of page."""
    waiting, seen = [HOME], {HOME}
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(f"{url}{path}")
        assert answer is not None
        assert answer.status == 200, path
        yield path
        for found in page.evaluate(LINKS):
            sort = IDENTITY.sub("*", found)
            if found.startswith("/g/powerx/") and sort not in seen and not DOWNLOADS.search(found):
                seen.add(sort)
                waiting.append(found)


@pytest.mark.browser
def test_pages_are_without_errors_and_barriers(eventful: Product) -> None:
    personas = (("powerx-owner", 1280, "light", 30), ("tenant-b-admin", 390, "dark", 12))
    for username, width, theme, least in personas:
        barriers, too_wide, visited = [], [], []
        with signed_in(eventful, username, width=width, theme=theme) as (page, complaints):
            for path in pages(page, eventful.url):
                visited.append(path)
                found = Axe().run(page).response["violations"]
                barriers += [f"{path} {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
                if page.evaluate(OVERFLOW) > 0:
                    too_wide.append(path)
        # Each by itself would hide the others.
        assert (username, complaints, barriers, too_wide) == (username, [], [], [])
        assert len(visited) >= least, visited
