"""How a policy says which tenants it is about; pure.

A selector is "*" or a mapping of `keys`, `labels`, `tiers` and `except`: a tenant is chosen if it has one of
the keys, all of the labels and one of the tiers that are given, unless the inner selector, or one of the
inner selectors, chooses it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class SelectorError(ValueError):
    """A selector can't be understood. `path` is where, `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a selector may ask of a tenant. One that is not active is never chosen."""

    id: int
    key: str
    tier: str
    labels: Mapping[str, str]
    active: bool = True


def check(selector: Any, path: str) -> None:
    """Make sure that the selector can be understood. Raises SelectorError."""
    if selector == "*":
        return
    if not isinstance(selector, Mapping) or not selector:
        raise SelectorError(path, "is “*” for all tenants, or a mapping of keys, labels, tiers, except")
    for word, value in selector.items():
        here = f"{path}.{word}"
        if word == "except":
            _check_exceptions(value, here)
        elif word == "labels":
            _check_labels(value, here)
        elif word not in {"keys", "tiers"}:
            raise SelectorError(here, "is none of keys, labels, tiers, except")
        elif not _is_texts(value):
            raise SelectorError(here, "is a list of texts that isn't empty")


def combined(chosen: Sequence[Any], left_out: Sequence[Any] = ()) -> dict[str, Any]:
    """A selection of the tenants that all of `chosen` select and none of `left_out`."""
    return {"all": list(chosen), "none": list(left_out)}


def digest(selection: Mapping[str, Any]) -> str:
    """What tells a selection from others."""
    text = json.dumps(selection, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def chooses(selection: Mapping[str, Any], tenant: TenantFacts) -> bool:
    """Whether a selection, as `combined` makes it, chooses the tenant."""
    return (
        tenant.active
        and all(matches(selector, tenant) for selector in selection["all"])
        and not any(matches(selector, tenant) for selector in selection["none"])
    )


def matches(selector: Any, tenant: TenantFacts) -> bool:
    """Whether a selector, as people write it, matches the tenant, be it active or not."""
    if selector == "*":
        return True
    return (
        ("keys" not in selector or tenant.key in selector["keys"])
        and ("tiers" not in selector or tenant.tier in selector["tiers"])
        and all(_has(tenant, label, value) for label, value in selector.get("labels", {}).items())
        and not any(matches(inner, tenant) for inner in exceptions(selector))
    )


def exceptions(selector: Any) -> list[Any]:
    """The selectors whose tenants a selector leaves out."""
    if not isinstance(selector, Mapping) or "except" not in selector:
        return []
    inner = selector["except"]
    return list(inner) if isinstance(inner, list) else [inner]


def without(selector: Any, keys: Iterable[str]) -> dict[str, Any]:
    """A selector that chooses the same tenants but those of the keys, also among tenants that are to come."""
    left_out = sorted(set(keys))
    chosen: dict[str, Any] = {} if selector == "*" else dict(selector)
    kept = [key for key in chosen.get("keys", ()) if key not in left_out]
    if kept:
        return {**chosen, "keys": kept}
    inner = exceptions(selector)
    listed = next((place for place, one in enumerate(inner) if _is_keys(one)), None)
    if listed is None:
        inner = [*inner, {"keys": left_out}]
    else:
        known = inner[listed]["keys"]
        inner[listed] = {"keys": [*known, *(key for key in left_out if key not in known)]}
    return {**chosen, "except": inner[0] if len(inner) == 1 else inner}


def _is_keys(selector: Any) -> bool:
    return isinstance(selector, Mapping) and set(selector) == {"keys"}


def _has(tenant: TenantFacts, label: str, wanted: str | Sequence[str]) -> bool:
    value = tenant.labels.get(label)
    return value == wanted if isinstance(wanted, str) else value in wanted


def _check_exceptions(value: Any, path: str) -> None:
    if not isinstance(value, list):
        check(value, path)
        return
    if not value:
        raise SelectorError(path, "is a selector, or a list of selectors that isn't empty")
    for place, inner in enumerate(value):
        check(inner, f"{path}[{place}]")


def _check_labels(value: Any, path: str) -> None:
    if not isinstance(value, Mapping) or not value:
        raise SelectorError(path, "is a mapping of labels to a value or a list of values")
    for label, wanted in value.items():
        if not isinstance(wanted, str) and not _is_texts(wanted):
            raise SelectorError(f"{path}.{label}", "is a text, or a list of texts that isn't empty")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)
