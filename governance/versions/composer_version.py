"""How Composer normalises a version, and how PHP's version_compare orders the result."""

from __future__ import annotations

import re

from governance.versions.scheme import InvalidVersion

# a stability, its number, and dev
MODIFIER = r"[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*+)?)?([.-]?dev)?"
SPACE = " \t\n\r\0\x0b"  # what PHP trims
FLAGS = re.IGNORECASE | re.ASCII  # PHP folds and classes no letters but these
ALIAS = re.compile(r"([^,\s]+) +as +([^,\s]+)", re.ASCII)
STABILITY_FLAG = re.compile(r"@(?:stable|RC|beta|alpha|dev)\Z", FLAGS)
BUILD = re.compile(r"([^,\s+]+)\+\S+", re.ASCII)
CLASSIC = re.compile(rf"v?([0-9]{{1,5}})(\.[0-9]+)?(\.[0-9]+)?(\.[0-9]+)?{MODIFIER}", FLAGS)
DATE = re.compile(rf"v?([0-9]{{4}}(?:[.:-]?[0-9]{{2}}){{1,6}}(?:[.:-]?[0-9]{{1,3}}){{0,2}}){MODIFIER}", FLAGS)
BRANCH = re.compile(r"v?([0-9]+)(\.(?:[0-9]+|[x*]))?(\.(?:[0-9]+|[x*]))?(\.(?:[0-9]+|[x*]))?", FLAGS)
DEV_SUFFIX = re.compile(r"(.*?)[.-]?dev\Z", FLAGS)
LONG_NAMES = {"a": "alpha", "b": "beta", "p": "patch", "pl": "patch", "rc": "RC"}
OPEN = "9999999"  # what Composer writes for the x of a branch such as 2.x-dev

Key = tuple[tuple[int, int], ...]

# PHP's order of words, by their first letters; a number stands between RC and patch
FORMS = {"dev": 0, "a": 1, "b": 2, "RC": 3, "rc": 3, "p": 6}
UNKNOWN, END, NUMBER = -1, 4, 5


def normalize(version: str) -> str:
    """The form in which Composer compares versions; raises InvalidVersion."""
    text = version.strip(SPACE)
    alias = ALIAS.fullmatch(text)
    text = STABILITY_FLAG.sub("", alias[1] if alias else text)
    if text in ("master", "trunk", "default"):
        text = f"dev-{text}"
    if text.lower().startswith("dev-"):
        return f"dev-{text[4:]}"
    build = BUILD.fullmatch(text)
    text = build[1] if build else text
    normalized = _numbered(text) or _numeric_branch(text)
    if normalized is None:
        raise InvalidVersion(version, "Composer wants up to four numbers or a date, and perhaps a stability")
    return normalized


def _numbered(text: str) -> str | None:
    classic = CLASSIC.fullmatch(text)
    if classic is not None:
        major, *rest = classic.groups()[:4]
        numbers = "".join([major or "", *(part or ".0" for part in rest)])
        return numbers + _stability(*classic.groups()[4:])
    date = DATE.fullmatch(text)
    if date is None:
        return None
    return re.sub("[^0-9]", ".", date[1]) + _stability(*date.groups()[1:])


def _stability(name: str | None, number: str | None, dev: str | None) -> str:
    if name and name == "stable":
        return ""
    suffix = f"-{LONG_NAMES.get(name.lower(), name.lower())}{(number or '').lstrip('.-')}" if name else ""
    return suffix + ("-dev" if dev else "")


def _numeric_branch(text: str) -> str | None:
    """The normal form of `2.x-dev`."""
    match = DEV_SUFFIX.search(text)
    branch = BRANCH.fullmatch(match[1].strip(SPACE)) if match else None
    if branch is None:
        return None
    parts = [(part or ".x").lower().replace("*", "x") for part in branch.groups()]
    return "".join(parts).replace("x", OPEN) + "-dev"


def order(normalized: str) -> Key:
    """The sort key under PHP's version_compare."""
    # PHP keeps another character that follows a digit, and so makes 2@RC no release candidate
    text = re.sub(r"[-_+]|(?<![0-9])[^0-9A-Za-z.]", ".", normalized)
    text = re.sub(r"(?<=[0-9])(?=[^0-9.])|(?<=[^0-9.])(?=[0-9])", ".", text)
    return (*(_piece(piece) for piece in re.split(r"\.+", text)), (END, 0))


def _piece(piece: str) -> tuple[int, int]:
    if piece.isdigit():
        return (NUMBER, int(piece))
    return (next((rank for form, rank in FORMS.items() if piece.startswith(form)), UNKNOWN), 0)


def is_branch(normalized: str) -> bool:
    """Tell a named branch, which equals only itself, from a version."""
    return normalized.startswith("dev-")
