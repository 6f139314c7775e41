"""What a YAML parser trips over, in the words of somebody who has to mend the text.

Ranges of versions begin with characters that mean something to YAML (`>=1.2`, `*`, `[1.0,2.0)`), so most who
write policies meet these refusals. Where none of the hints fits, the parser's own words are told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml
from yaml.reader import ReaderError

QUOTES = "put the value in quotes"


@dataclass(frozen=True)
class _Hint:
    """What to say of a complaint, a pattern, that the parser has `at` something.

    It is said with what the pattern `found`, and with the `line` in which that something begins; there, if it
    is only seen `later` that it is wrong.
    """

    complaint: str
    says: str
    at: str = ""
    later: bool = False

    def fits(self, error: yaml.MarkedYAMLError) -> bool:
        at_it = re.search(self.at, error.context or "")
        return at_it is not None and re.search(self.complaint, error.problem or "") is not None


_NO_BEGINNING = f"no value begins with “{{found}}”: {QUOTES}"
_RANGE = 'put a range such as "[1.0,2.0)" in quotes'
_SEVERAL = '“>” and “|” begin a text of several lines: put a range such as ">=1.2" in quotes'
_MISSING = "a “,” is missing before this, or the"
_HINTS = (
    _Hint(r"character '\\t' that cannot start", "a tab stands here: use spaces"),
    _Hint("character '[>|]' that cannot start", _SEVERAL),
    _Hint("""character ['"](.+)['"] that cannot start""", _NO_BEGINNING),
    _Hint("", _SEVERAL, at="a block scalar"),
    _Hint("", '“*” refers to something: put "*", and what begins with it, in quotes', at="an alias"),
    _Hint("undefined alias '(.+)'", f"“*{{found}}” refers to nothing: {QUOTES}"),
    _Hint("", f"“&” gives a name to what follows: {QUOTES}", at="an anchor"),
    _Hint("", f"“!” begins a tag: {QUOTES}", at="(scanning|parsing) a tag"),
    _Hint("<stream end>", f"“[” has no “]” that belongs to it; {_RANGE}", at="a flow sequence", later=True),
    _Hint("<stream end>", "“{{” has no “}}” that belongs to it", at="a flow mapping", later=True),
    _Hint("", f"{_MISSING} “]” for the “[” in line {{line}}; {_RANGE}", at="a flow sequence"),
    _Hint("", f"{_MISSING} “}}}}” for the “{{{{” in line {{line}}", at="a flow mapping"),
    _Hint("end of stream", "the quotation mark that opens here has none that closes",
          at="quoted", later=True),
    _Hint("escape (character|sequence)",
          "in double quotes “\\” begins an escape: write “\\\\”, or use single quotes"),
    _Hint("mapping values are not allowed",
          f"no “:” is expected here: indent the line as its neighbours are, or {QUOTES}"),
    _Hint("could not find expected ':'", "a “:” with a space after it is missing", later=True),
    _Hint("sequence entries are not allowed", f"no list item is expected here: begin a line, or {QUOTES}"),
    _Hint("mapping keys are not allowed", f"no key is expected here: {QUOTES}"),
    _Hint("<block end>.*'<block .+ start>'", "the line isn't indented as its neighbours are"),
    _Hint("<block end>.*'-'", "a list item stands among keys"),
    _Hint(r"<block end>.*'\?'", "a key stands among list items"),
    _Hint("(<block|<document).* found '(?!<stream end>)", "something follows where the value has ended"),
    _Hint("found another document", "“---” begins a second document: write one to a file"),
    _Hint("expected the node content.*','", "nothing stands before this “,”", at="a flow node"),
    _Hint("expected the node content.*<stream end>", "the text ends before “[” or “{{” is closed"),
    _Hint("expected the node content, but found '([^<].*)'", _NO_BEGINNING),
)  # fmt: skip


def told(error: yaml.MarkedYAMLError | ReaderError, text: str) -> tuple[int, str]:
    """The line of the text, from 1, and what is wrong there; 0 where the parser doesn't say which."""
    if isinstance(error, ReaderError):
        line = len(f"{text[: error.position]}.".splitlines())
        return line, f"the character U+{error.character:04X} isn't allowed in a text"
    hint = next((one for one in _HINTS if one.fits(error)), None)
    if hint is None:
        return _line(error.problem_mark), " ".join(filter(None, (error.context, error.problem)))
    found = re.search(hint.complaint, error.problem or "")
    begins = _line(error.context_mark)
    reason = hint.says.format(found=found[1] if found and found.re.groups else "", line=begins)
    return begins if hint.later else _line(error.problem_mark), reason


def _line(mark: yaml.Mark | None) -> int:
    return mark.line + 1 if mark else 0
