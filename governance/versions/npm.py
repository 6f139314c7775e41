"""npm's versions and ranges, as node-semver reads them by default (not loose).

Checked and not used: semantic-version's NpmSpec refuses `>= 1.0.0`, `~>1`, `>X` and two spaces in a
row, and takes `1.*.5` and numbers above npm's limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from governance.versions import npm_range, semver
from governance.versions.precedence import Key, precedence
from governance.versions.scheme import InvalidVersion

LOOSE_IDENTIFIER = r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|[0-9]+)"
LOOSE = re.compile(
    rf"[v={npm_range.SPACE}]*([0-9]+)\.([0-9]+)\.([0-9]+)(?:-?({LOOSE_IDENTIFIER}(?:\.{LOOSE_IDENTIFIER})*))?"
    r"(?:\+[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)?"
)


def read(version: str, *, loose: bool = False) -> Key:
    """The sort key of a version; loose as npm reads what old packages hold. Raises InvalidVersion."""
    text = version.strip(npm_range.SPACE)
    match = LOOSE.fullmatch(text) if loose else semver.VERSION.fullmatch(text.removeprefix("v"))
    if match is None:
        raise InvalidVersion(version, "npm wants three numbers, and perhaps -PRERELEASE and +BUILD")
    major, minor, patch = (int(number) for number in match.groups()[:3])
    if max(major, minor, patch) > npm_range.MAX_NUMBER:
        raise InvalidVersion(version, f"npm takes numbers up to {npm_range.MAX_NUMBER}")
    return precedence((major, minor, patch), match[4], float)  # as JavaScript counts


class Npm(semver.Semver):
    name = "npm"
    title = "npm"
    source = "https://github.com/npm/node-semver"
    vers_type = "npm"

    def parse(self, version: str) -> Key:
        return read(version)

    def native_range(self, text: str) -> Callable[[str], bool]:
        matcher = npm_range.read(text, number=float)
        return lambda version: matcher.contains(self._keys(version))
