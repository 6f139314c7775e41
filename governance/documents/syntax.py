"""What a YAML parser trips over, in the words of somebody who has to mend the text.

Ranges of versions begin with characters that mean something to YAML (`>=1.2`, `*`, `[1.0,2.0)`), so most who
write policies meet these refusals. Where none of the hints fits, the parser's own words are told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml
from yaml.reader import ReaderError

QUOTES = "put the value in quotes"


@dataclass(frozen=True)
class _Hint:
    """What to say where the parser complains of something `while` it is at something.

    A thing that is never closed is told where it begins.
    """

    complaint: str
    says: str | Callable[[str], str]
    while_at: str = ""
    unclosed: bool = False

    def fits(self, error: yaml.MarkedYAMLError) -> bool:
        return self.while_at in (error.context or "") and bool(re.search(self.complaint, error.problem or ""))


def _no_beginning(found: str) -> str:
    if found == r"\t":
        return "a tab stands where the line is indented: use spaces"
    return f"no value begins with “{found}”: {QUOTES}"


def _no_escape(found: str) -> str:
    return f"“\\{found}” means nothing in double quotes: write “\\\\{found}”, or use single quotes"


_HINTS = (
    _Hint(r"found character '(.+)' that cannot start", _no_beginning),
    _Hint("", f'“>” and “|” begin a text of several lines: for a range such as ">=1.2" {QUOTES}',
          while_at="a block scalar"),
    _Hint("", '“*” refers to something here: for all, write "*" with its quotes', while_at="an alias"),
    _Hint("undefined alias '(.+)'", lambda found: f"“*{found}” refers to nothing: {QUOTES}"),
    _Hint("", f"“&” gives a name to what follows: {QUOTES}", while_at="an anchor"),
    _Hint("", f'“[” has no “]” that belongs to it: for a range such as "[1.0,2.0)" {QUOTES}',
          while_at="a flow sequence", unclosed=True),
    _Hint("", "“{” has no “}” that belongs to it", while_at="a flow mapping", unclosed=True),
    _Hint("unexpected end of stream", "the quotation mark that opens here has none that closes",
          while_at="quoted scalar", unclosed=True),
    _Hint("unknown escape character '(.+)'", _no_escape),
    _Hint("mapping values are not allowed",
          f"no “:” is expected here: indent the line as its neighbours are, or {QUOTES}"),
    _Hint("could not find expected ':'", "a “:” is missing after the key"),
    _Hint("found '<scalar>'", "something follows where the value has ended"),
    _Hint("expected <block end>", "the line isn't indented as its neighbours are"),
    _Hint("found another document", "“---” begins a second document: write one to a file"),
    _Hint("found '<stream end>'", "the text ends before “[” or “{” is closed"),
    _Hint("expected the node content, but found '([^<].*)'", _no_beginning),
)  # fmt: skip


def told(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line of the text, from 1, and what is wrong there; 0 where the parser doesn't say which."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return line, f"the character U+{error.character:04X} isn't allowed in a text"
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0, str(error)
    hint = next((one for one in _HINTS if one.fits(error)), None)
    mark = error.context_mark if hint is not None and hint.unclosed else error.problem_mark
    return (mark.line + 1 if mark else 0), _in_words(hint, error)


def _in_words(hint: _Hint | None, error: yaml.MarkedYAMLError) -> str:
    if hint is None:
        return " ".join(text for text in (error.context, error.problem) if text)
    if isinstance(hint.says, str):
        return hint.says
    found = re.search(hint.complaint, error.problem or "")
    return hint.says(found[1] if found else "")
