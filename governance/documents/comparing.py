"""JSON documents: the digest of one, and what tells two apart; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place in which two documents differ. What is missing on a side is None there."""

    place: str  # rules[core-git].range
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    def __str__(self) -> str:
        match self.kind:
            case "added":
                return f"{self.place}: {_shown(self.after)}"
            case "removed":
                return f"{self.place}: no longer {_shown(self.before)}"
        return f"{self.place}: {_shown(self.before)} → {_shown(self.after)}"

    def as_json(self) -> dict[str, Any]:
        """For `--json` and endpoints."""
        return {"place": self.place, "kind": self.kind, "before": self.before, "after": self.after}


def digest(document: Any) -> str:
    """SHA-256 of the document's canonical JSON."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def canonical(document: Any) -> str:
    """The same text for the same document: sorted keys, no spaces; Python takes 1 and true for equal."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def changes(before: Any, after: Any, place: str = "") -> Iterator[Change]:
    """Where the documents differ. Entries of a list that have names are told apart by these."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _keyed(before, after, place, "{0}.{1}" if place else "{1}")
    elif _named(before) and _named(after):
        yield from _keyed(_by_name(before), _by_name(after), place, "{0}[{1}]")
        old, new = [item["name"] for item in before], [item["name"] for item in after]
        if old != new and sorted(old) == sorted(new):
            yield Change(f"order of {place}", old, new)
    elif canonical(before) != canonical(after):
        yield Change(place, before, after)


def _keyed(before: dict[str, Any], after: dict[str, Any], place: str, form: str) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        inner = form.format(place, key)
        left, right = before.get(key, _MISSING), after.get(key, _MISSING)
        if left is _MISSING or right is _MISSING:
            yield Change(inner, None if left is _MISSING else left, None if right is _MISSING else right)
        else:
            yield from changes(left, right, inner)


def _named(value: Any) -> bool:
    """Whether it is a list of entries that names tell apart."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return False
    names = [item.get("name") for item in value]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _by_name(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["name"]: item for item in items}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
