"""What a policy's text says, in words for people; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance import policy_documents, rules, selections
from governance.policy_documents import Document, ExpandedPolicy
from governance.rules import PROFILE_DENIALS, RuleSpec

_DENIED = {
    "vulnerable": "every plugin must have no security warning",
    "withdrawn": "every plugin must not be withdrawn",
}


@dataclass(frozen=True, slots=True)
class Instead:
    """What a rule wants of some tenants in place of what it wants of the others."""

    name: str
    tenants: str
    says: str


@dataclass(frozen=True, slots=True)
class RuleInWords:
    """One rule. `by_profile`: not of the text, but of a switch of its profile.

    `tenants` only where it binds not all of the policy's.
    """

    key: str
    says: str
    instead: tuple[Instead, ...] = ()
    tenants: str = ""
    by_profile: bool = False


def rules_in_words(document: Document, profile: Document, *, at: datetime) -> list[RuleInWords]:
    """The rules of a policy's text, those that its profile's switches add at the end."""
    expanded = policy_documents.expand(document, profile, at=at)
    return [*map(_in_words, rules.parse_all(expanded.rules)), *_of_the_profile(expanded)]


def tenants_in_words(selector: Any) -> str:
    """Which tenants a selector chooses."""
    if selector == "*":
        return "all tenants"
    told = " and ".join(_conditions(selector)) or "all tenants"
    inner = [tenants_in_words(one) for one in selections.exceptions(selector)]
    return f"{told}, except {', and except '.join(inner)}" if inner else told


def _in_words(spec: RuleSpec) -> RuleInWords:
    instead = tuple(
        Instead(variant.name, tenants_in_words(variant.tenants), rules.says(variant.wish, spec.plugins))
        for variant in spec.variants
    )
    tenants = "" if spec.tenants == "*" else tenants_in_words(spec.tenants)
    return RuleInWords(spec.key, rules.says(spec.wish, spec.plugins), instead, tenants)


def _of_the_profile(expanded: ExpandedPolicy) -> Iterator[RuleInWords]:
    for state in expanded.deny:
        yield RuleInWords(PROFILE_DENIALS[state], _DENIED[state], by_profile=True)


def _conditions(selector: Mapping[str, Any]) -> Iterator[str]:
    if "keys" in selector:
        yield _listed(selector["keys"])
    if "tiers" in selector:
        yield f"tier {_listed(selector['tiers'])}"
    for label, wanted in selector.get("labels", {}).items():
        yield f"label {label} = {wanted if isinstance(wanted, str) else _listed(wanted)}"


def _listed(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
