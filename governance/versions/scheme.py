"""What every version dialect offers, and the errors with which it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from governance.versions import comparators, vers

# Texts come from outside: bound what parsing may cost. npm and Maven draw the same line for versions.
MAX_VERSION = 256
MAX_RANGE = 1024


class InvalidVersion(ValueError):
    """A text that its dialect can't order."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"“{text}” is not a version: {reason}")
        self.text = text
        self.reason = reason


class InvalidRange(ValueError):
    """A text that its dialect can't read as a range."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"“{text}” is not a version range: {reason}")
        self.text = text
        self.reason = reason


class Comparable(Protocol):
    """A sort key: ordered and equal as its dialect orders the versions."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True)
class Range:
    """A set of versions, as its author wrote it."""

    text: str
    _contains: Callable[[str], bool] = field(repr=False, compare=False)

    def contains(self, version: str) -> bool:
        """Tell whether the version is in the range; raises InvalidVersion."""
        return self._contains(version)


class Scheme:
    """One dialect. Subclasses say how to parse; reading and caching are the same for all.

    Instances are stateless but for their caches, so each dialect exists once.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    vers_type: ClassVar[str | None] = None  # the type under which VERS defines this dialect

    def __init__(self) -> None:
        self._keys = lru_cache(maxsize=1 << 17)(self._bounded_parse)
        self._ranges = lru_cache(maxsize=1 << 14)(self._read_range)

    def parse(self, version: str) -> Any:
        """The uncached sort key; raises InvalidVersion."""
        raise NotImplementedError

    def native_range(self, text: str) -> Callable[[str], bool]:
        """The test for the dialect's own range syntax, by default Plumbline's simple form."""
        return self.simple_range(text)

    def is_prerelease(self, version: str) -> bool:
        """Tell whether the dialect counts the version as coming before a release."""
        raise NotImplementedError

    def parts(self, version: str) -> tuple[int, int, int] | None:
        """Major, minor and patch, or None where the version has none."""
        raise NotImplementedError

    def key(self, version: str) -> Comparable:
        """The sort key of a version; raises InvalidVersion."""
        key: Comparable = self._keys(version)
        return key

    def compare(self, a: str, b: str) -> int:
        """-1, 0 or 1, as the upstream comparator says of the pair."""
        left, right = self.key(a), self.key(b)
        return -1 if left < right else 1 if right < left else 0

    def range(self, text: str) -> Range:
        """The range that the text describes; raises InvalidRange."""
        return self._ranges(text)

    def simple_range(self, text: str) -> Callable[[str], bool]:
        """The test for Plumbline's own form (`>=2.4 <3`), by comparing keys."""
        bounds = [(comparators.TESTS[op], self.key(version)) for op, version in comparators.split(text)]

        def contains(version: str) -> bool:
            key = self.key(version)
            return all(test(key, bound) for test, bound in bounds)

        return contains

    def _bounded_parse(self, version: str) -> Any:
        if len(version) > MAX_VERSION:
            raise InvalidVersion(version, f"it is longer than {MAX_VERSION} characters")
        return self.parse(version)

    def _read_range(self, text: str) -> Range:
        if len(text) > MAX_RANGE:
            raise InvalidRange(text, f"it is longer than {MAX_RANGE} characters")
        try:
            if vers.is_vers(text):
                return Range(text, self._vers_range(text))
            return Range(text, self.native_range(text))
        except InvalidVersion as error:
            raise InvalidRange(text, f"“{error.text}” in it is not a version: {error.reason}") from error
        except (comparators.Malformed, vers.Malformed) as error:
            raise InvalidRange(text, str(error)) from error

    def _vers_range(self, text: str) -> Callable[[str], bool]:
        read = vers.read(text)
        if read.type != self.vers_type:
            raise vers.Malformed(f"VERS type “{read.type}” is not the dialect “{self.name}”")
        intervals = vers.Intervals(read.constraints, self.key)
        return lambda version: intervals.contain(self.key(version))


def leading_numbers(numbers: list[int]) -> tuple[int, int, int] | None:
    """The first three numbers, missing ones as zero, or None where there is none."""
    if not numbers:
        return None
    major, minor, patch = [*numbers, 0, 0][:3]
    return major, minor, patch
