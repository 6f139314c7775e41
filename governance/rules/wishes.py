"""What one rule wants, without to whom it applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The ways in which a document names versions; each means a range.
BOUNDS = ("range", "at_least", "at_most", "exactly")
# The units of `within`, coarsest first, and how many leading numbers of a version tell them apart.
UNITS = {"major": 1, "minor": 2, "patch": 3}
DISTANCES = (*UNITS, "releases")
# What `deny` may name instead of a range.
STATES = ("vulnerable", "withdrawn")


@dataclass(frozen=True, slots=True)
class Wish:
    """A kind of rule (a value of RuleKind) with the rule's own value, as the compiled rule keeps them."""

    kind: str
    value: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The word of a rule's document under which its version stands, if it has one."""
        return next(iter(self.value), self.kind)

    @property
    def range_text(self) -> str | None:
        """The range in a plugin's own dialect that the wish holds, if it holds one."""
        text = self.value.get("range", self.value.get("deny"))
        return None if text in STATES else text

    @property
    def version_text(self) -> str | None:
        """The single version in a plugin's own dialect that the wish names, if it names one."""
        given = (self.value.get(word) for word in ("at_least", "at_most", "exactly", "at"))
        return next((text for text in given if text is not None), None)

    @property
    def chooses_target(self) -> bool:
        """Whether the version that all shall have is for Plumbline to find."""
        return self.kind == "same" and "at" not in self.value
