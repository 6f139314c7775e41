"""VERS, the version range specifier of the package-url project: `vers:npm/>=1.0.0|<2.0.0`.

Source: package-url/vers-spec, "VERS specification" and "How to parse and validate VERS".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote

SPECIFIER = re.compile(r"vers:([a-z][a-z0-9.-]*)/(.*)")
CONSTRAINT = re.compile(r"(>=|<=|!=|<|>)?(.*)")
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
SMALL_ESCAPE = re.compile(r"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])")
RESERVED = re.compile(r"[<>=!*]")  # in a version they stand escaped
PLAIN = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".translate(str.maketrans("", "", "<>=!*|%"))  # as they are


class Malformed(ValueError):
    """The text is not a VERS, or not one of the dialect asked; says why in words."""


@dataclass(frozen=True)
class Vers:
    type: str
    constraints: tuple[tuple[str, str], ...]  # comparator and version; none for `*`
    text: str


def is_vers(text: str) -> bool:
    """Tell whether the text claims to be a VERS."""
    return text.lstrip().startswith("vers:")


def read(text: str) -> Vers:
    """Split a VERS into its type and constraints, in the order written; raises Malformed."""
    if re.search(r"\s", text) or not (text.isascii() and text.isprintable()):
        raise Malformed("a VERS holds printable ASCII characters and no white space")
    match = SPECIFIER.fullmatch(text)
    if match is None:
        raise Malformed("a VERS has the form vers:type/constraints")
    kind, constraints = match.groups()
    if constraints == "*":
        return Vers(kind, (), text)
    return Vers(kind, tuple(_constraint(piece) for piece in constraints.split("|")), text)


def _constraint(piece: str) -> tuple[str, str]:
    if not piece:
        raise Malformed("it has an empty constraint, or a pipe at its start or end")
    match = CONSTRAINT.fullmatch(piece)
    comparator, version = match.groups() if match else (None, "")
    if not version or RESERVED.search(version):
        raise Malformed(f"“{piece}” is not a comparator and a version")
    if BAD_ESCAPE.search(version):
        raise Malformed(f"“{version}” has a broken percent escape")
    return comparator or "=", unquote(version)


def check_canonical(vers: Vers, key: Callable[[str], Any]) -> None:
    """Refuse what section 5.4 calls invalid: order, repeated versions, redundant comparators.

    Raises Malformed, and InvalidVersion for a version that has no place in the order.
    """
    if SMALL_ESCAPE.search(vers.text):
        raise Malformed("its percent escapes are not in capitals")
    if len(vers.constraints) < 2:
        return
    keys = [key(version) for _, version in vers.constraints]
    if not all(a < b for a, b in pairwise(keys)):
        raise Malformed("its constraints are not sorted by version, each version once")
    ops = [op for op, _ in vers.constraints if op != "!="]
    bounds = [op[0] for op in ops if op != "="]
    if any(a == b for a, b in pairwise(bounds)) or any(a == "=" and b[0] == "<" for a, b in pairwise(ops)):
        raise Malformed("it has a constraint that its neighbour makes redundant")


def write(vers: Vers, key: Callable[[str], Any]) -> str:
    """The text of a VERS, its constraints in version order."""
    ordered = sorted(((key(version), op, version) for op, version in vers.constraints), key=_ByKey)
    pieces = [f"{'' if op == '=' else op}{quote(version, safe=PLAIN)}" for _, op, version in ordered]
    return f"vers:{vers.type}/{'|'.join(pieces) or '*'}"


class Intervals:
    """Constraints ready to be asked. They may come unsorted: the order is the versions' own."""

    def __init__(self, constraints: Sequence[tuple[str, str]], key: Callable[[str], Any]) -> None:
        keyed = sorted(((key(version), op) for op, version in constraints), key=_ByKey)
        _refuse_contradictions(keyed)
        self._included = [k for k, op in keyed if op in ("=", "<=", ">=")]
        self._excluded = [k for k, op in keyed if op == "!="]
        self._spans = _spans([(k, op[0]) for k, op in keyed if op[0] in "<>"])
        # `*`, or exclusions alone: all else is in
        self._open = not self._included and not self._spans

    def contain(self, key: Any) -> bool:
        """Tell whether a version of this key is in the range."""
        if any(key == k for k in self._included):
            return True
        if any(key == k for k in self._excluded):
            return False
        return self._open or any(
            (low is None or low < key) and (high is None or key < high) for low, high in self._spans
        )


def _refuse_contradictions(keyed: Sequence[tuple[Any, str]]) -> None:
    for (a, first), (b, second) in pairwise(keyed):
        if not a < b and first != second:
            raise Malformed("it names one version in two different constraints")


def _spans(bounds: Sequence[tuple[Any, str]]) -> list[tuple[Any, Any]]:
    """The open intervals between bounds in order; of two bounds in one direction the wider counts."""
    spans: list[tuple[Any, Any]] = []
    low: Any = None
    opened = False
    for key, direction in bounds:
        if direction == ">":
            low, opened = (low, True) if opened else (key, True)
        elif opened or not spans:
            spans.append((low, key))
            low, opened = None, False
        else:
            spans[-1] = (spans[-1][0], key)
    return [*spans, (low, None)] if opened else spans


class _ByKey:
    """Sorts constraints by version alone: dialects' keys need only know `<`."""

    def __init__(self, keyed: tuple[Any, ...]) -> None:
        self.key = keyed[0]

    def __lt__(self, other: _ByKey) -> bool:
        return bool(self.key < other.key)
