"""Composer's versions: normalised to four numbers and a stability, then ordered as PHP orders them.

Branches (`dev-main`) have no place in the order and are refused as versions; ranges may name them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from governance.versions import composer_range
from governance.versions.composer_version import Key, is_branch, normalize, order
from governance.versions.scheme import InvalidVersion, Scheme, leading_numbers


class Composer(Scheme):
    name = "composer"
    title = "Composer"
    source = "https://github.com/composer/semver"
    vers_type = "composer"

    def parse(self, version: str) -> Key:
        normalized = normalize(version)
        if is_branch(normalized):
            raise InvalidVersion(version, "a branch has no place in the order")
        return order(normalized)

    def native_range(self, text: str) -> Callable[[str], bool]:
        alternatives = composer_range.read(text)
        return lambda version: composer_range.matches(alternatives, normalize(version))

    def is_prerelease(self, version: str) -> bool:
        return any(rank in (0, 1, 2, 3) for rank, _ in self._keys(version))

    def parts(self, version: str) -> tuple[int, int, int] | None:
        self.key(version)
        numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", normalize(version))
        return leading_numbers([int(number) for number in numbers[0].split(".")]) if numbers else None
