"""PEP 440, as the packaging library implements it; nothing of it is rewritten here.

Plumbline adds what its simple form needs: spaces between specifiers, `=1.2`, a bare version and `*`.
"""

from __future__ import annotations

from collections.abc import Callable

from packaging import specifiers
from packaging import version as pep440

from governance.versions import comparators
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme, leading_numbers


def read_native(text: str) -> specifiers.SpecifierSet:
    """PEP 440's own syntax; raises InvalidRange."""
    try:
        return specifiers.SpecifierSet(text)
    except specifiers.InvalidSpecifier as error:
        raise InvalidRange(text, "PEP 440 knows no such specifier") from error


def read_range(text: str) -> specifiers.SpecifierSet:
    """PEP 440's own syntax first, then the simple form written in it; raises InvalidRange."""
    try:
        return read_native(text)
    except InvalidRange as error:
        try:
            rewritten = [f"{'==' if op == '=' else op}{value}" for op, value in comparators.split(text)]
            return specifiers.SpecifierSet(",".join(rewritten))
        except (specifiers.InvalidSpecifier, comparators.Malformed):
            raise error from None


class Pypi(Scheme):
    name = "pypi"
    title = "Python (PEP 440)"
    source = "https://peps.python.org/pep-0440/"
    vers_type = "pypi"

    def parse(self, version: str) -> pep440.Version:
        try:
            return pep440.Version(version)
        except pep440.InvalidVersion as error:
            raise InvalidVersion(version, "PEP 440 does not know this form") from error

    def native_range(self, text: str) -> Callable[[str], bool]:
        found = read_range(text)
        as_written = "===" in text  # which compares texts, and a key has lost its own

        def contains(version: str) -> bool:
            key = self._keys(version)
            return found.contains(version if as_written else key)

        return contains

    def is_prerelease(self, version: str) -> bool:
        return bool(self._keys(version).is_prerelease)

    def parts(self, version: str) -> tuple[int, int, int] | None:
        return leading_numbers(list(self._keys(version).release))
