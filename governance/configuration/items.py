"""What becomes of each thing that the files speak of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from governance import documents
from tenants.models import Group

ADD, CHANGE, RETIRE, KEEP = "add", "change", "retire", "keep"


@dataclass(frozen=True, slots=True)
class Item:
    """One profile, policy or exemption, and what becomes of it. `document` is as it is wanted."""

    noun: str  # service levels, profile, baseline, policy, hold, exemption
    name: str
    action: str
    changes: tuple[documents.Change, ...] = ()
    note: str = ""
    document: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        shown: dict[str, Any] = {"noun": self.noun, "name": self.name, "action": self.action}
        if self.changes:
            shown["changes"] = [change.as_json() for change in self.changes]
        return shown | ({"note": self.note} if self.note else {})


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """What becomes of one group."""

    group: Group
    items: tuple[Item, ...]

    @property
    def changed(self) -> tuple[Item, ...]:
        """The items that don't stay as they are."""
        return tuple(item for item in self.items if item.action != KEEP)

    def as_json(self) -> dict[str, Any]:
        """For `--json`: what changes, and what is worth a note."""
        told = [item.as_json() for item in self.items if item.action != KEEP or item.note]
        return {
            "changed": bool(self.changed),
            "unchanged": len(self.items) - len(self.changed),
            "items": told,
        }
