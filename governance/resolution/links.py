"""The links of a dependency chain, as facts from which they are told in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Demand(StrEnum):
    """What a release may demand of others."""

    NEEDS = "needs"  # one of them
    ONLY = "only"  # none but these of it, if any
    NOT = "not"  # none of them


class Place(StrEnum):
    """Where a component is of which only that may be told: not its version, which tenants don't share."""

    GONE = "gone"
    SUCH = "such"
    ANOTHER = "another"
    NOWHERE = "nowhere"  # its rules leave it no place
    VARIES = "varies"  # at such a version in some tenants, in others not


@dataclass(frozen=True)
class Stands:
    """Where a component is: at a version, or in a place. It `would` be there if a rule were followed.

    `such` is whether it is one of the releases that the demand names.
    """

    plugin: str
    at: str | Place
    would: bool = False
    such: bool = False

    def __str__(self) -> str:
        if self.at is Place.NOWHERE:
            return f"{self.plugin} has nowhere to go"
        if self.at is Place.VARIES:
            return f"{self.plugin} is not at the same version everywhere"
        if self.at is Place.GONE:
            return f"{self.plugin} {'would not be' if self.would else 'is not'} installed"
        is_ = "would be" if self.would else "is"
        if isinstance(self.at, Place):
            version = "such a" if self.at is Place.SUCH else "another"
            return f"{self.plugin} {is_} installed at {version} version"
        return f"{self.plugin} {is_} at {self.at}"

    def as_json(self) -> Mapping[str, Any]:
        """As a conflict keeps it; that it would be there is said only where it is so."""
        where = "place" if isinstance(self.at, Place) else "at"
        would = {"would": True} if self.would else {}
        return {"plugin": self.plugin, where: str(self.at), **would}


@dataclass(frozen=True)
class Link:
    """A release's demand, and where the components are that it is about; `what` is empty where unknown."""

    plugin: str
    version: str
    says: str  # "needs core >=3"
    demand: Demand
    what: tuple[str, ...]  # "core >=3", and what would do instead
    stands: tuple[Stands, ...]

    def __str__(self) -> str:
        where = " and ".join(map(str, self.stands)) or "there is no such release"
        return f"{self.plugin} {self.version} {self.says}, and {where}"

    def as_json(self) -> Mapping[str, Any]:
        """As a conflict keeps it."""
        return {
            "plugin": self.plugin,
            "version": self.version,
            "demand": str(self.demand),
            "what": list(self.what),
            "stands": [one.as_json() for one in self.stands],
        }
