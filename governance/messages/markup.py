"""The HTML that a message template may hold: text, tables and links to where the message leads, nothing else.

The same is asked of what a template has become, so that a preview may be shown within a page.
"""

from __future__ import annotations

from html.parser import HTMLParser

from governance.messages.language import Fault

TAGS = frozenset(
    {
        *("p", "br", "hr", "h1", "h2", "h3", "strong", "em", "code", "ul", "ol", "li", "a", "blockquote"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    }
)
_VOID = frozenset({"br", "hr"})
_LINKS = frozenset({"{{ link }}", "{{ inbox }}"})


def faults(html: str, *, links: frozenset[str] = _LINKS) -> list[Fault]:
    """What is wrong with it, line by line. Besides https addresses it may lead to `links`."""
    parser = _Parser(links)
    parser.feed(html)
    parser.close()
    for name, line in parser.open:
        parser.found.append(Fault(line, f"<{name}> isn't closed"))
    return parser.found


class _Parser(HTMLParser):
    def __init__(self, links: frozenset[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.links = links
        self.open: list[tuple[str, int]] = []
        self.found: list[Fault] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self._refuse(f"<{tag}> can't be used; there are {', '.join(sorted(TAGS))}")
            return
        for name, value in attrs:
            if tag == "a" and name == "href":
                self._check_link((value or "").strip())
            else:
                self._refuse(f"<{tag}> can't have “{name}”")
        if tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in TAGS and tag not in _VOID:
            self.open.pop()
            self._refuse(f"<{tag}> is written as <{tag}>…</{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self._refuse(f"</{tag}> closes nothing that is open here")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self._refuse("“<” is written as &lt;")

    def handle_comment(self, _data: str) -> None:
        self._refuse("a comment is written as {# … #}")

    def handle_decl(self, _decl: str) -> None:
        self._refuse("a declaration can't be used")

    def unknown_decl(self, _data: str) -> None:
        self._refuse("a declaration can't be used")

    def handle_pi(self, _data: str) -> None:
        self._refuse("an instruction can't be used")

    def _check_link(self, address: str) -> None:
        plain = address.startswith("https://") and "{" not in address
        if not plain and address not in self.links:
            self._refuse("a link leads to {{ link }}, {{ inbox }} or an address that begins with https://")

    def _refuse(self, reason: str) -> None:
        self.found.append(Fault(self.getpos()[0], reason))
