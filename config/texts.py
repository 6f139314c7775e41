"""Text that can't be kept or sent, and names that there aren't: how to tell of them."""

from __future__ import annotations

import difflib
import re
from bisect import bisect
from collections.abc import Iterable
from typing import Any

# NUL, which PostgreSQL doesn't keep, and half a surrogate pair, which is no character and can't be encoded.
UNKEEPABLE = re.compile("[\\x00\\ud800-\\udfff]")
_MANY = 1_000  # names that a name is compared with letter by letter, which takes some 50 ms
_PAIR = re.compile("[\\ud800-\\udbff][\\udc00-\\udfff]")


def tellable(text: str) -> str:
    """The text with an escape in the place of each such character, so that it can be quoted anywhere."""
    return UNKEEPABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def tellable_in(data: Any) -> Any:
    """The same for all texts of a JSON value, keys among them."""
    if isinstance(data, str):
        return tellable(data)
    if isinstance(data, dict):
        return {tellable_in(key): tellable_in(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [tellable_in(item) for item in data]
    return data


def paired(text: str) -> str:
    """The text with each surrogate pair, as JSON writes a character in two escapes, made that character."""
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean “that”?` after a name that there isn't, with the nearest that there is, if any."""
    near = nearest(name, names)
    return f"; did you mean “{near}”?" if near else ""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is so like that it may be meant; of very many, only those beside it in order are seen."""
    ordered = sorted(names)
    if len(ordered) > _MANY:
        place = bisect(ordered, name)
        ordered = ordered[max(place - _MANY // 2, 0) : place + _MANY // 2]
    return next(iter(difflib.get_close_matches(name, ordered, 1)), None)
