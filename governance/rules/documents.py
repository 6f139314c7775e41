"""Rule documents read into values; every refusal names the place and the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.texts import did_you_mean
from governance import moments, selections
from governance.rules.wishes import BOUNDS, DISTANCES, Wish
from governance.versions import InvalidRange, InvalidVersion, scheme

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_COMMON = frozenset({"name", "plugins", "tenants", "severity", "weight", "sla_days", "variants"})
_SEVERITIES = ("low", "medium", "high", "critical")
# The rules that a profile's switches add to a policy; no rule of the policy's own has such a name.
PROFILE_DENIALS = {"vulnerable": "profile-vulnerable", "withdrawn": "profile-withdrawn"}


class RuleError(ValueError):
    """A rule can't be understood. `path` is where, such as `rules[0].within.minor`, `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class Variant:
    """What a rule wants of some of the policy's tenants instead."""

    name: str
    tenants: Any
    wish: Wish
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule of a policy. `plugins` None stands for every plugin but the host.

    `tenants` are those of the policy's that it binds.
    """

    key: str
    plugins: tuple[str, ...] | None
    wish: Wish
    severity: str
    weight: int
    sla_days: int | None
    variants: tuple[Variant, ...]
    tenants: Any = "*"
    path: str = field(default="", compare=False)

    @property
    def wishes(self) -> list[tuple[Wish, str]]:
        """What it wants, its variants' wishes among it, and where each stands."""
        return [(self.wish, self.path), *((variant.wish, variant.path) for variant in self.variants)]


def parse_all(documents: Iterable[Mapping[str, Any]], path: str = "rules") -> tuple[RuleSpec, ...]:
    """Read a policy's rules, each name once. Raises RuleError."""
    specs = tuple(parse(document, f"{path}[{place}]") for place, document in enumerate(documents))
    seen: set[str] = set()
    for spec in specs:
        if spec.key in seen:
            raise RuleError(f"{spec.path}.name", f"another rule is named “{spec.key}” too")
        seen.add(spec.key)
    return specs


def parse(document: Mapping[str, Any], path: str) -> RuleSpec:
    """Read one rule. Raises RuleError."""
    _mapping(document, path)
    spec = RuleSpec(
        key=_key(document.get("name"), f"{path}.name"),
        plugins=_plugins(document.get("plugins"), f"{path}.plugins"),
        wish=_wish(document, path, _COMMON),
        severity=_severity(document.get("severity", "medium"), f"{path}.severity"),
        weight=_count(document.get("weight", 100), f"{path}.weight"),
        sla_days=document.get("sla_days"),
        variants=_variants(document.get("variants", ()), f"{path}.variants"),
        tenants=_tenants(document.get("tenants", "*"), f"{path}.tenants"),
        path=path,
    )
    _check_breadth(spec)
    return spec


def check_dialects(spec: RuleSpec, schemes: Mapping[str, str]) -> None:
    """Make sure that the plugins' dialects understand the rule's versions. Raises RuleError.

    `schemes` are the catalogue's plugins with their dialects. A plugin that it doesn't know can't be given a
    version; that it must not be there can be said beforehand.
    """
    for place, plugin in enumerate(spec.plugins or ()):
        for wish, path in spec.wishes:
            if plugin in schemes:
                _check_dialect(wish, schemes[plugin], f"{path}.{wish.word}", plugin)
            elif wish.kind != "absent":
                reason = f"the catalogue has no plugin “{plugin}”{did_you_mean(plugin, schemes)}"
                raise RuleError(f"{spec.path}.plugins[{place}]", reason)


def _check_dialect(wish: Wish, dialect: str, path: str, plugin: str) -> None:
    try:
        if wish.range_text is not None:
            scheme(dialect).range(wish.range_text)
        if wish.version_text is not None:
            scheme(dialect).key(wish.version_text)
    except (InvalidRange, InvalidVersion) as error:
        raise RuleError(path, f"{error} (the dialect of {plugin} is {dialect})") from error


def _check_breadth(spec: RuleSpec) -> None:
    """Every plugin at once can be asked for only what has one meaning for all of them."""
    if spec.plugins is not None:
        return
    for wish, path in spec.wishes:
        if wish.range_text is not None or wish.version_text is not None:
            raise RuleError(f"{path}.{wish.word}", "a version means something for named plugins only")
        if wish.kind in {"present", "absent"}:
            raise RuleError(f"{path}.{wish.kind}", "name the plugins: it can't be meant of every plugin")


def _variants(documents: Any, path: str) -> tuple[Variant, ...]:
    if not isinstance(documents, list | tuple):
        raise RuleError(path, "is a list of variants")
    variants: list[Variant] = []
    for place, document in enumerate(documents):
        here = f"{path}[{place}]"
        _mapping(document, here)
        name = _key(document.get("name"), f"{here}.name")
        if any(name == other.name for other in variants):
            raise RuleError(f"{here}.name", f"another variant is named “{name}” too")
        tenants = _tenants(document.get("tenants"), f"{here}.tenants")
        variants.append(Variant(name, tenants, _wish(document, here, frozenset({"name", "tenants"})), here))
    return tuple(variants)


def _tenants(selector: Any, path: str) -> Any:
    try:
        selections.check(selector, path)
    except selections.SelectorError as error:
        raise RuleError(error.path, error.reason) from error
    return selector


def _wish(document: Mapping[str, Any], path: str, others: frozenset[str]) -> Wish:
    given = [word for word in _READERS if word in document]
    if len(given) != 1:
        kinds = ", ".join(_READERS)
        found = f"not {' and '.join(given)}" if given else "none is there"
        raise RuleError(path, f"a rule has exactly one of {kinds}; {found}")
    unknown = sorted(document.keys() - others - {given[0], "at" if given[0] == "same" else given[0]})
    if unknown:
        raise RuleError(f"{path}.{unknown[0]}", f"doesn't belong to a rule with “{given[0]}”")
    return _READERS[given[0]](document, path)


def _bound(word: str) -> Callable[[Mapping[str, Any], str], Wish]:
    return lambda document, path: Wish("range", {word: _text(document[word], f"{path}.{word}")})


def _valued(kind: str) -> Callable[[Mapping[str, Any], str], Wish]:
    return lambda document, path: Wish(kind, {kind: _text(document[kind], f"{path}.{kind}")})


def _switch(kind: str) -> Callable[[Mapping[str, Any], str], Wish]:
    def read(document: Mapping[str, Any], path: str) -> Wish:
        if document[kind] is not True:
            raise RuleError(f"{path}.{kind}", "is either true or left out")
        return Wish(kind)

    return read


def _same(document: Mapping[str, Any], path: str) -> Wish:
    _switch("same")(document, path)
    return Wish("same", {"at": _text(document["at"], f"{path}.at")} if "at" in document else {})


def _within(document: Mapping[str, Any], path: str) -> Wish:
    value = document["within"]
    here = f"{path}.within"
    _mapping(value, here)
    unknown = sorted(value.keys() - {*DISTANCES, "channel"})
    if unknown:
        raise RuleError(f"{here}.{unknown[0]}", f"is none of {', '.join(DISTANCES)} and channel")
    if not value.keys() & set(DISTANCES):
        raise RuleError(here, f"says how far behind by one of {', '.join(DISTANCES)}")
    read = {unit: _count(value[unit], f"{here}.{unit}") for unit in DISTANCES if unit in value}
    channel = {"channel": _text(value["channel"], f"{here}.channel")} if "channel" in value else {}
    return Wish("within", {**read, **channel})


def _min_age(document: Mapping[str, Any], path: str) -> Wish:
    text = _text(document["min_age"], f"{path}.min_age")
    try:
        moments.span(text)
    except moments.MomentError as error:
        raise RuleError(f"{path}.min_age", str(error)) from error
    return Wish("min_age", {"min_age": text})


_READERS: dict[str, Callable[[Mapping[str, Any], str], Wish]] = {
    **{word: _bound(word) for word in BOUNDS},
    "same": _same,
    "within": _within,
    "channel": _valued("channel"),
    "min_age": _min_age,
    "deny": _valued("deny"),
    "present": _switch("present"),
    "absent": _switch("absent"),
    "hold": _switch("hold"),
}


def _plugins(value: Any, path: str) -> tuple[str, ...] | None:
    if value == "*":
        return None
    if not isinstance(value, list) or not value:
        raise RuleError(path, "is a list of plugin names, or “*” for every plugin")
    names = tuple(_text(name, f"{path}[{place}]") for place, name in enumerate(value))
    return tuple(dict.fromkeys(names))


def _key(value: Any, path: str) -> str:
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise RuleError(path, "is a name of letters, digits, dashes and underscores, at most 100")
    if value in PROFILE_DENIALS.values():
        raise RuleError(path, f"“{value}” is the name of a profile's own rule")
    return value


def _severity(value: Any, path: str) -> str:
    if value not in _SEVERITIES:
        raise RuleError(path, f"is one of {', '.join(_SEVERITIES)}")
    return str(value)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RuleError(path, "is a text that isn't empty")
    return value


def _count(value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RuleError(path, "is a whole number, not below zero")
    return value


def _mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise RuleError(path, "is a mapping")
