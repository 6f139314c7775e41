"""Changes to a policy's text that a way out of a conflict asks for; pure.

The text that is changed was written before. As a new text it would be read anew, so what it counts from the
time at which it was written is written out first: a hold of thirty days must not begin again.

A change that a text has already leaves it as it is, so that whoever asks twice gets one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from governance import moments, policy_documents, selections
from governance.policy_documents import Document
from governance.rules import PROFILE_DENIALS

_MOMENTS = ("effective_from", "effective_until", "until")
# Rules that leave what is there alone, or want it there or gone: there is no version to want instead.
_WITHOUT_VERSION = ("hold", "present", "absent")


class NoVariant(ValueError):
    """A rule can't want another version of some tenants; the message says why, to follow the rule's name."""


def pinned(document: Document, *, at: datetime) -> dict[str, Any]:
    """The same with its relative times written out, as they count from `at`."""
    given = {name: document[name] for name in _MOMENTS if name in document}
    written = {
        name: moments.starting(text, at=at).isoformat()
        for name, text in given.items()
        if moments.is_relative(text)
    }
    return {**document, **written}


def without_tenants(document: Document, keys: Iterable[str]) -> dict[str, Any]:
    """The same, not selecting the tenants of these keys."""
    return {**document, "tenants": selections.without(document.get("tenants", "*"), keys)}


def ended(document: Document, *, at: datetime) -> dict[str, Any]:
    """The same, in force no longer."""
    name = "until" if document.get("kind") == "hold" else "effective_until"
    if name in document and moments.ending(document[name], at=at) <= at:
        return dict(document)
    return {**document, name: at.replace(microsecond=0).isoformat()}  # people read it


def only_holds(document: Document) -> bool:
    """Whether the policy does nothing but keep plugins as they are."""
    rules = policy_documents.rules_of(document)
    return bool(rules) and all("hold" in rule for rule in rules)


def check_variant(document: Document, key: str) -> None:
    """Make sure that the rule can want another version of some tenants. Raises NoVariant."""
    rule = {rule["name"]: rule for rule in policy_documents.rules_of(document)}.get(key)
    if key in PROFILE_DENIALS.values():
        raise NoVariant("comes from the profile, which holds for all tenants of the policy")
    if rule is None:
        raise NoVariant("is no rule of the policy any more")
    if any(word in rule for word in _WITHOUT_VERSION):
        raise NoVariant("is about no version, so that none can be wanted instead")
    if rule["plugins"] == "*" or len(rule["plugins"]) != 1:
        raise NoVariant("is about several plugins, which can't all be wanted at one version")


def with_variant(document: Document, key: str, keys: Iterable[str], version: str) -> dict[str, Any]:
    """The same, its rule wanting exactly that version in the tenants of these keys. Raises NoVariant.

    A baseline's `versions` are written out as rules, under the names by which they are known already.
    """
    check_variant(document, key)
    tenants = sorted(set(keys))
    rules = [
        _varied(rule, tenants, version) if rule["name"] == key else rule
        for rule in policy_documents.rules_of(document)
    ]
    return {**{name: value for name, value in document.items() if name != "versions"}, "rules": rules}


def _varied(rule: Mapping[str, Any], tenants: list[str], version: str) -> dict[str, Any]:
    """The first variant that selects a tenant counts, so this one comes before those that are there.

    One for the same tenants would count for nobody then, and goes.
    """
    chosen = {"keys": tenants}
    present = [variant for variant in rule.get("variants", ()) if variant["tenants"] != chosen]
    more = f"-and-{len(tenants) - 1}-more" if len(tenants) > 1 else ""
    name = policy_documents.free_key(f"{tenants[0]}{more}", {variant["name"] for variant in present})
    variant = {"name": name, "tenants": chosen, "exactly": version}
    return {**rule, "variants": [variant, *present]}
