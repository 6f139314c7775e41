"""Version dialects: the one place that knows how versions are ordered and ranges are read.

Each dialect is exact for its ecosystem and names its source. A version that its dialect can't order
is refused with the reason, never guessed at. Nothing here knows Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from governance.versions.ckan import Ckan, CkanGame
from governance.versions.composer import Composer
from governance.versions.generic import Generic
from governance.versions.helm import Helm
from governance.versions.jenkins import Jenkins
from governance.versions.maven import Maven
from governance.versions.npm import Npm
from governance.versions.pypi import Pypi
from governance.versions.scheme import Comparable, InvalidRange, InvalidVersion, Range, Scheme
from governance.versions.semver import Semver

__all__ = [
    "SCHEMES",
    "Comparable",
    "InvalidRange",
    "InvalidVersion",
    "Range",
    "Scheme",
    "UnknownScheme",
    "ranks",
    "scheme",
]

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Semver(),
            Npm(),
            Helm(),
            Pypi(),
            Maven(),
            Composer(),
            Jenkins(),
            Ckan(),
            CkanGame(),
            Generic(),
        )
    }
)
ALIASES: Mapping[str, str] = MappingProxyType({"pep440": "pypi"})


class UnknownScheme(ValueError):
    """No dialect has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is not a version dialect; there are {', '.join(SCHEMES)}")
        self.name = name


def scheme(name: str) -> Scheme:
    """The dialect of a name or alias; raises UnknownScheme."""
    try:
        return SCHEMES[ALIASES.get(name, name)]
    except KeyError:
        raise UnknownScheme(name) from None


def ranks(scheme_name: str, versions: Iterable[str]) -> dict[str, int]:
    """Number versions by their order, densely from 0; equal ones share a number.

    Raises InvalidVersion for the first version that the dialect can't order.
    """
    dialect = scheme(scheme_name)
    ranked: dict[str, int] = {}
    rank, previous = -1, None
    # by text first, so that the outcome never depends on the order in which the versions came
    for version in sorted(sorted(set(versions)), key=dialect.key):
        key = dialect.key(version)
        if previous is None or previous < key:
            rank += 1
        ranked[version] = rank
        previous = key
    return ranked
