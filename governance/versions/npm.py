"""npm's versions and ranges, as node-semver reads them by default (not loose).

Checked and not used: semantic-version's NpmSpec refuses `>= 1.0.0`, `~>1`, `>X` and two spaces in a
row, and takes `1.*.5` and numbers above npm's limit.
"""

from __future__ import annotations

import re

from governance.versions import semver
from governance.versions.precedence import Key, precedence
from governance.versions.scheme import InvalidVersion

MAX_NUMBER = 2**53 - 1  # what JavaScript holds exactly
LOOSE_IDENTIFIER = r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|[0-9]+)"
LOOSE = re.compile(
    rf"[v=\s]*([0-9]+)\.([0-9]+)\.([0-9]+)(?:-?({LOOSE_IDENTIFIER}(?:\.{LOOSE_IDENTIFIER})*))?"
    r"(?:\+[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)?"
)


def read(version: str, *, loose: bool = False) -> Key:
    """The sort key of a version; loose as npm reads what old packages hold. Raises InvalidVersion."""
    text = version.strip()
    match = LOOSE.fullmatch(text) if loose else semver.VERSION.fullmatch(text.removeprefix("v"))
    if match is None:
        raise InvalidVersion(version, "npm wants three numbers, and perhaps -PRERELEASE and +BUILD")
    major, minor, patch = (int(number) for number in match.groups()[:3])
    if max(major, minor, patch) > MAX_NUMBER:
        raise InvalidVersion(version, f"npm takes numbers up to {MAX_NUMBER}")
    return precedence((major, minor, patch), match[4])


class Npm(semver.Semver):
    name = "npm"
    title = "npm"
    source = "https://github.com/npm/node-semver"
    vers_type = "npm"

    def parse(self, version: str) -> Key:
        return read(version)
