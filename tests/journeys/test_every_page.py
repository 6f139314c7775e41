"""Every page that links lead to, in a real browser: no errors, no barriers, nothing that doesn't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
from axe_playwright_python.base import AXE_SCRIPT as AXE
from playwright.sync_api import Page

from tests.journeys.browsing import Look, Visitor, chromium
from tests.journeys.product import QUICK, Product

# What tells two pages of one sort apart: an identity, a number, or which message a template is for.
IDENTITY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|(?<=/templates/)[a-z_]+(?=/)")
DOWNLOADS = re.compile(r"/(reports|simulations)/[^/]+/[a-z]+/$")
HOME = "/g/powerx/home/"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Nothing but what is wrong is told: to describe all that is right takes as long again as to find it.
BARRIERS = "axe.run({resultTypes: ['violations'], preload: false}).then(found => found.violations)"
LINKS = "[...document.querySelectorAll('a[href]')].map(a => a.origin == location.origin ? a.pathname : '')"
# Whose pages, how they are looked at, and how many sorts of them there are at the least.
VISITS = (
    ("powerx-owner", (Look(1280, "light"), Look(390, "dark")), 30),
    ("tenant-b-admin", (Look(1280, "dark"), Look(390, "light")), 12),
)


@pytest.fixture
def eventful(installed: Product) -> Product:
    """The running product after a simulation, and a run that stands at a conflict.

    It looks after things as seldom as usual: nothing waits for that.
    """
    for name in QUICK:
        installed.environment.pop(name)
    installed.start()
    installed.manage("policy", "simulate", "--group", "powerx", "--retire", "core-align", codes=(3,))
    installed.manage("policy", "apply", "config/version/scenarios/d2_hold.yaml", "--group", "powerx")
    installed.manage("version_policy_sync", "--group", "powerx", "--skip-config", codes=(0, 4))
    return installed


def pages(page: Page) -> Iterator[str]:
    """Go to each page that links lead to from the home page, once for each sort of page."""
    waiting, seen = [HOME], {HOME}
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        yield path
        for found in page.evaluate(LINKS):
            sort = IDENTITY.sub("*", found)
            if found.startswith("/g/powerx/") and sort not in seen and not DOWNLOADS.search(found):
                seen.add(sort)
                waiting.append(found)


def faults(visitor: Visitor, looks: Sequence[Look]) -> Iterator[str]:
    """What keeps people from reading the page that is shown, however they look at it.

    It was loaded in the last of these looks, and follows when they turn to another, as it does on a screen.
    """
    page = visitor.page
    page.evaluate(AXE)
    for look in reversed(looks):
        visitor.look(look)
        for barrier in page.evaluate(BARRIERS):
            yield f"{page.url} {look} {barrier['id']}: {barrier['nodes'][0]['html'][:200]}"
        if page.evaluate(OVERFLOW) > 0:
            yield f"{page.url} {look}: wider than the window"
    visitor.look(looks[-1])


@pytest.mark.browser
def test_pages_are_without_errors_and_barriers(eventful: Product) -> None:
    found: list[str] = []
    with chromium() as browser:
        for username, looks, least in VISITS:
            visitor = Visitor(browser, eventful, username)
            visitor.look(looks[-1])
            visited = 0
            for _path in pages(visitor.page):
                visited += 1
                found += faults(visitor, looks)
            found += visitor.complaints
            assert visited >= least
    assert found == []
