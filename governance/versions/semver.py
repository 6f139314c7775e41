"""Semantic Versioning 2.0.0, with npm's range syntax.

Strict: three numbers, no leading zeros, no `v`. Build metadata doesn't count in the order.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from governance.versions import npm_range
from governance.versions.precedence import RELEASE, Key, precedence
from governance.versions.scheme import InvalidVersion, Scheme

NUMBER = r"(?:0|[1-9][0-9]*)"
IDENTIFIER = rf"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|{NUMBER})"
VERSION = re.compile(
    rf"({NUMBER})\.({NUMBER})\.({NUMBER})"
    rf"(?:-({IDENTIFIER}(?:\.{IDENTIFIER})*))?"
    r"(?:\+[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)?"
)


class Semver(Scheme):
    name = "semver"
    title = "Semantic Versioning 2.0.0"
    source = "https://semver.org/spec/v2.0.0.html"
    vers_type = "semver"

    def parse(self, version: str) -> Key:
        match = VERSION.fullmatch(version)
        if match is None:
            raise InvalidVersion(version, "SemVer wants three numbers, and perhaps -PRERELEASE and +BUILD")
        major, minor, patch, prerelease = match.groups()
        return precedence((int(major), int(minor), int(patch)), prerelease)

    def native_range(self, text: str) -> Callable[[str], bool]:
        matcher = npm_range.read(text)
        return lambda version: matcher.contains(self._keys(version))

    def is_prerelease(self, version: str) -> bool:
        return bool(self._keys(version)[3] != RELEASE)

    def parts(self, version: str) -> tuple[int, int, int] | None:
        major, minor, patch, _ = self._keys(version)
        return major, minor, patch
