"""Composer's range syntax, as composer/semver's VersionParser reads it.

Without a stability of its own a bound takes in the unstable versions just above it: `>=1.0` is
`>=1.0.0.0-dev`, and `<2.0` is `<2.0.0.0-dev`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from governance.versions import composer_version as composer
from governance.versions.comparators import TESTS
from governance.versions.scheme import InvalidRange, InvalidVersion

Bound = tuple[str, str]  # operator and normalised version

ALTERNATIVES = re.compile(r"\s*\|\|?\s*", re.ASCII)
SEPARATOR = re.compile(r"(?<!\A)(?<!as)(?<![=>< ,]) *(?<!-)[, ](?!-) *(?!,|as|\Z)")
FLAG = re.compile(r"([^,\s]*?)@(stable|RC|beta|alpha|dev)", composer.FLAGS)
REFERENCE = re.compile(r"(dev-[^,\s@]+?|[^,\s@]+?\.x-dev)#.+", composer.FLAGS)
ANY = re.compile(r"(v)?[x*](\.[x*])*", composer.FLAGS)
VERSION = (
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?"
    rf"(?:{composer.MODIFIER}|\.([x*][.-]?dev))(?:\+\S+)?"
)
TILDE = re.compile(rf"~{VERSION}", composer.FLAGS)
CARET = re.compile(rf"\^{VERSION}", composer.FLAGS)
WILDCARD = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.[xX*])+")
BETWEEN = re.compile(rf"({VERSION}) +- +({VERSION})", composer.FLAGS)
COMPARISON = re.compile(r"(<>|!=|>=?|<=?|==?)?\s*(.*)", re.ASCII)
# Of Composer's patterns the one that heeds the case: it doesn't see the RC that it has written itself.
ENDS_UNSTABLE = re.compile(rf"-{composer.MODIFIER.replace('rc', 'RC')}\Z")
OPERATORS = {"": "=", "==": "=", "<>": "!="}


def read(text: str) -> list[list[Bound]]:
    """The alternatives of a range, each a list of bounds that must all hold; raises InvalidRange."""
    alternatives = []
    for alternative in ALTERNATIVES.split(text.strip(composer.SPACE)):
        pieces = SEPARATOR.split(alternative)
        alternatives.append([bound for piece in pieces for bound in _bounds(text, piece)])
    return alternatives


def matches(alternatives: Sequence[Sequence[Bound]], version: str) -> bool:
    """Tell whether a normalised version is in a range."""
    return any(all(compare(version, op, bound) for op, bound in group) for group in alternatives)


def compare(a: str, op: str, b: str, *, order_branches: bool = False) -> bool:
    """Composer's comparison of normalised versions: a branch equals itself and is in no order."""
    branches = composer.is_branch(a), composer.is_branch(b)
    if any(branches) and op == "!=":
        return a != b
    if all(branches):
        return op == "=" and a == b
    if any(branches) and not order_branches:
        return False
    return TESTS[op](composer.order(a), composer.order(b))


def _bounds(text: str, piece: str) -> list[Bound]:
    try:
        return _constraint(piece)
    except InvalidVersion as error:
        raise InvalidRange(text, f"Composer can't read “{piece}”") from error


def _constraint(piece: str) -> list[Bound]:
    alias = composer.ALIAS.fullmatch(piece)
    piece = alias[1] if alias else piece
    flag, stability = FLAG.fullmatch(piece), None
    if flag is not None:
        piece = flag[1] or "*"
        stability = None if flag[2] == "stable" else flag[2]
    reference = REFERENCE.fullmatch(piece)
    piece = reference[1] if reference else piece
    everything = ANY.fullmatch(piece)
    if everything is not None:
        return [(">=", "0.0.0.0-dev")] if everything[1] or everything[2] else []
    for form, bounds in FORMS:
        match = form.fullmatch(piece)
        if match is not None:
            return bounds(piece, match)
    return _comparison(piece, stability)


def _tilde(piece: str, match: re.Match[str]) -> list[Bound]:
    numbers = match.groups()[:4]
    position = max(i for i, number in enumerate(numbers, start=1) if number is not None)
    if match[8]:
        position += 1
    return _span(piece, match, max(1, position - 1))


def _caret(piece: str, match: re.Match[str]) -> list[Bound]:
    major, minor, patch = match.groups()[:3]
    if major != "0" or minor is None:
        position = 1
    elif minor != "0" or patch is None:
        position = 2
    else:
        position = 3
    return _span(piece, match, position)


def _span(piece: str, match: re.Match[str], position: int) -> list[Bound]:
    """From the version named to before the next one at a position."""
    stable = not (match[5] or match[7] or match[8])
    low = composer.normalize(piece[1:] + ("-dev" if stable else ""))
    return [(">=", low), ("<", _next(match.groups()[:4], position))]


def _wildcard(_piece: str, match: re.Match[str]) -> list[Bound]:
    numbers = match.groups()
    position = max(i for i, number in enumerate(numbers, start=1) if number is not None)
    low = ".".join([*(number or "0" for number in numbers[:position]), *["0"] * (4 - position)])
    high = ("<", _next((*numbers, None), position))
    return [high] if low == "0.0.0.0" else [(">=", f"{low}-dev"), high]


def _between(_piece: str, match: re.Match[str]) -> list[Bound]:
    low = match.groups()[1:9]
    high = match.groups()[10:18]
    lower = composer.normalize(match[1]) + ("" if low[4] or low[6] or low[7] else "-dev")
    upper = composer.normalize(match[10])
    if (high[1] and high[2]) or high[4] or high[6] or high[7]:
        return [(">=", lower), ("<=", upper)]
    return [(">=", lower), ("<", _next(high[:4], 2 if high[1] else 1))]


def _next(numbers: Sequence[str | None], position: int) -> str:
    """The first version of the next number at a position (1 is the major one)."""
    kept = [int(number or 0) for number in numbers[:position]]
    kept[-1] += 1
    return ".".join(str(number) for number in [*kept, 0, 0, 0][:4]) + "-dev"


FORMS = ((TILDE, _tilde), (CARET, _caret), (WILDCARD, _wildcard), (BETWEEN, _between))


def _comparison(piece: str, stability: str | None) -> list[Bound]:
    match = COMPARISON.match(piece)
    if match is None:
        raise InvalidVersion(piece, "it is neither an operator nor a version")
    op, named = match[1] or "", match[2]
    version = _named(named)
    if op not in ("", "=", "==") and stability and _is_stable(version):
        version += f"-{stability}"
    elif op in ("<", ">=") and not ENDS_UNSTABLE.search(named.lower()) and not named.startswith("dev-"):
        version += "-dev"
    return [(OPERATORS.get(op, op), version)]


def _named(text: str) -> str:
    """The version of a comparison; `main-dev` is an old spelling of the branch dev-main."""
    try:
        return composer.normalize(text)
    except InvalidVersion:
        if text.endswith("-dev") and re.fullmatch(r"[0-9a-zA-Z./-]+", text):
            return composer.normalize(f"dev-{text[:-4]}")
        raise


def _is_stable(normalized: str) -> bool:
    if composer.is_branch(normalized) or normalized.endswith("-dev"):
        return False
    return not re.search(r"-(?:beta|alpha|RC)[0-9.-]*\Z", normalized)
