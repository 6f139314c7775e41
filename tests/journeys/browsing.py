"""People at real browsers, each with a session of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.journeys.product import Product

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",  # it refuses to start for root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000  # milliseconds: nothing here is about speed


@dataclass(frozen=True, slots=True)
class Look:
    """How wide a window is, and which colours its reader prefers."""

    width: int
    theme: Literal["light", "dark"]


DESKTOP = Look(1280, "light")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """Someone who has signed in, and what their browser complained about meanwhile."""

    def __init__(self, browser: Browser, product: Product, username: str) -> None:
        self.product = product
        self.complaints: list[str] = []
        self.page = browser.new_context(base_url=product.url, accept_downloads=True).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.look(DESKTOP)
        # A violation of the Content-Security-Policy is such an error, too.
        self.page.on(
            "console", lambda said: self._complain(said.text, said.page) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self._complain(str(error), self.page))
        self._sign_in(username)

    def look(self, look: Look) -> None:
        """Turn to another window, or to other colours."""
        self.page.set_viewport_size({"width": look.width, "height": 900})
        self.page.emulate_media(color_scheme=look.theme, reduced_motion="reduce")

    def go(self, *labels: str) -> None:
        """Follow the links with these labels, one after the other; a count may stand beside a label.

        The page that the last one leads to is there on return, so that what is asked without waiting,
        such as which boxes there are, is asked of it. Not for links that redirect, or download.
        """
        for label in labels:
            name = re.compile(rf"^{re.escape(label)}( *\d+ unread)?$")
            self._follow(self.page.get_by_role("link", name=name).first)

    def press(self, label: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=label, exact=True).click()

    def status(self, path: str) -> int:
        """What the server answers this person at an address."""
        return self.page.request.get(path).status

    def _follow(self, link: Locator) -> None:
        target = link.evaluate("link => link.href")
        link.click()
        self.page.wait_for_url(lambda url: url == target)

    def _complain(self, text: str, page: Page | None) -> None:
        self.complaints.append(f"{page.url if page else ''}: {text}")

    def _sign_in(self, username: str) -> None:
        self.page.goto("/login/")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(self.product.password())
        self.press("Sign in")
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Sign in to Plumbline")
