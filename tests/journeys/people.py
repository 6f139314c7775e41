"""People at the console without a browser: quick, for stories that aren't about what a page looks like."""

from __future__ import annotations

import html
import re

import httpx

from tests.journeys.product import Product

TAG = re.compile(r"<[^>]+>")
ROW = re.compile(r"<tr[ >].*?</tr>|<tr>.*?</tr>", re.DOTALL)


class Person:
    """Someone who has signed in."""

    def __init__(self, product: Product, username: str) -> None:
        self._client = httpx.Client(base_url=product.url, follow_redirects=True, timeout=60)
        self._client.get("/login/").raise_for_status()
        signed_in = self.submit("/login/", username=username, password=product.password())
        assert "/login/" not in str(signed_in.url), signed_in.text

    def page(self, path: str) -> str:
        """What a page says, without its tags."""
        return _text(self._client.get(path).raise_for_status().text)

    def rows(self, path: str) -> list[str]:
        """What the rows of a page's tables say."""
        answer = self._client.get(path).raise_for_status()
        return [_text(row) for row in ROW.findall(answer.text)]

    def status(self, path: str) -> int:
        """Whether the page is there for this person."""
        return self._client.get(path).status_code

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form; the page that it leads to."""
        headers = {"X-CSRFToken": self._client.cookies["csrftoken"]}
        return self._client.post(path, data=fields, headers=headers)


def _text(markup: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", markup)).split())
