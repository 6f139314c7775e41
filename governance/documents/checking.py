"""What a schema can't tell: names that must exist or be unique, ranges in their plugin's dialect, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.texts import did_you_mean
from governance import escalation, moments, rules, selections
from governance.documents.having import Known
from governance.documents.problems import Problem
from governance.documents.reading import Place, Source


@dataclass(slots=True)
class Findings:
    """What is wrong, and what is only odd: a rule about a plugin or tenant that may still come."""

    source: Source
    at: datetime
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def refuse(self, place: Place, reason: str) -> None:
        """Note what makes the configuration unusable."""
        self.problems.append(self.source.problem(place, reason))

    def warn(self, place: Place, reason: str) -> None:
        """Note what is allowed but may be a slip."""
        self.warnings.append(self.source.problem(place, reason))


def profiles(found: Findings, items: list[dict[str, Any]]) -> None:
    """Profiles and rings by name, each once."""
    unique(found, ("profiles",), items)
    for index, item in enumerate(items):
        unique(found, ("profiles", index, "rings"), item.get("rings", []))
        _escalation(found, ("profiles", index, "notify", "escalation"), item.get("notify", {}))


def _escalation(found: Findings, place: Place, notify: Mapping[str, Any]) -> None:
    """Escalation steps, each once: a second one would never tell."""
    seen: set[str] = set()
    for index, step in enumerate(escalation.steps(notify.get("escalation", []))):
        if step.key in seen:
            found.refuse((*place, index), "is the same step as one above it")
        seen.add(step.key)


def policy(found: Findings, place: Place, document: Mapping[str, Any], has: Known) -> None:
    """One baseline, policy or hold."""
    profile = document.get("profile")
    if profile and profile not in has.profiles:
        found.refuse((*place, "profile"), unknown("profile", profile, has.profiles))
    selector(found, (*place, "tenants"), document.get("tenants", "*"), has)
    _window(found, place, document)
    unique(found, (*place, "rules"), document.get("rules", []))
    read = [(here, _rule(found, here, rule, has)) for here, rule in _rules(place, document)]
    _warn_of_oddities(found, [(here, spec) for here, spec in read if spec is not None], has)


def exemption(found: Findings, place: Place, document: Mapping[str, Any], has: Known) -> None:
    """One exemption; `has` includes the policies of the file."""
    if document["tenant"] not in has.tenants:
        found.refuse((*place, "tenant"), unknown("tenant", document["tenant"], has.tenants))
    name, rule = document["policy"], document.get("rule")
    if name not in has.policies:
        found.refuse((*place, "policy"), unknown("policy", name, has.policies))
    else:
        kind, rules = has.policies[name]
        if kind == "hold":
            found.refuse((*place, "policy"), f"“{name}” is a hold, which nothing can break; end it instead")
        elif rule and rule not in rules:
            found.refuse((*place, "rule"), unknown(f"rule of “{name}”", rule, rules))
    if document.get("plugin", "") not in {"", *has.schemes}:
        found.refuse((*place, "plugin"), unknown("plugin", document["plugin"], has.schemes))
    end = _moment(found, (*place, "until"), document["until"], moments.ending)
    _warn_if_over(found, (*place, "until"), end, "it exempts nobody")


def freezes(found: Findings, place: Place, items: list[dict[str, Any]]) -> None:
    """Freezes by name, each once, with an end after its beginning."""
    unique(found, place, items)
    for index, item in enumerate(items):
        start = _moment(found, (*place, index, "from"), item["from"], moments.starting)
        end = _moment(found, (*place, index, "until"), item["until"], moments.ending)
        if start and end and end <= start:
            found.refuse((*place, index, "until"), "ends before it starts")


def selector(found: Findings, place: Place, chosen: Any, has: Known) -> None:
    """The tenants that a selector names; one that isn't there may still come."""
    if not isinstance(chosen, dict):
        return
    for index, key in enumerate(chosen.get("keys", [])):
        if key not in has.tenants:
            found.warn((*place, "keys", index), unknown("tenant", key, has.tenants, " yet"))
    for index, tier in enumerate(chosen.get("tiers", [])):
        if tier not in (tiers := has.traits().tiers):
            found.warn((*place, "tiers", index), unknown("tenant of the tier", tier, tiers, " yet"))
    for label, wanted in chosen.get("labels", {}).items():
        _warn_of_label(found, (*place, "labels", label), label, wanted, has)
    inner = chosen.get("except")
    for index, one in enumerate(selections.exceptions(chosen)):
        here: Place = (*place, "except", index) if isinstance(inner, list) else (*place, "except")
        selector(found, here, one, has)


def _warn_of_label(found: Findings, place: Place, label: str, wanted: str | list[str], has: Known) -> None:
    labels = has.traits().labels
    if label not in labels:
        found.warn(place, unknown("tenant with a label", label, labels, " yet"))
        return
    for value in [wanted] if isinstance(wanted, str) else wanted:
        if value not in labels[label]:
            found.warn(place, unknown(f"tenant whose {label} is", value, labels[label], " yet"))


def unique(found: Findings, place: Place, items: Iterable[Mapping[str, Any]]) -> None:
    """Each name once."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        name = item["name"]
        if name in seen:
            first = found.source.problem((*place, seen[name], "name"), "").line
            at = f", first in line {first}" if first else ""
            found.refuse((*place, index, "name"), f"the name “{name}” stands here twice{at}")
        seen.setdefault(name, index)


def unknown(noun: str, name: str, names: Iterable[str], yet: str = "") -> str:
    """“there is no such thing”, with the nearest that there is."""
    return f"there is no {noun} “{name}”{yet}{did_you_mean(name, names)}"


def _rules(place: Place, document: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The policy's rules, its shorthand among them, and where each stands."""
    for index, rule in enumerate(document.get("rules", [])):
        yield (*place, "rules", index), rule
    for plugin, wanted in document.get("versions", {}).items():
        value = {"range": wanted} if isinstance(wanted, str) else wanted
        yield (*place, "versions", plugin), {"name": "wanted", "plugins": [plugin], **value}
    if document.get("kind") == "hold":
        yield place, {"name": "hold", "plugins": document["plugins"], "hold": True}


def _rule(found: Findings, place: Place, rule: Mapping[str, Any], has: Known) -> rules.RuleSpec | None:
    """One rule, by the reading that compiling does too; None if it can't be understood."""
    try:
        spec = rules.parse(rule, "")
        rules.check_dialects(spec, has.schemes)
    except rules.RuleError as error:
        found.refuse(_within(found, place, error.path), error.reason)
        return None
    selector(found, (*place, "tenants"), spec.tenants, has)
    for index, variant in enumerate(spec.variants):
        selector(found, (*place, "variants", index, "tenants"), variant.tenants, has)
    return spec


def _warn_of_oddities(found: Findings, specs: list[tuple[Place, rules.RuleSpec]], has: Known) -> None:
    asked = frozenset[str]().union(*(rules.asked_of(spec) for _, spec in specs))
    releases = has.releases(asked) if asked else {}
    for place, spec in specs:
        for path, reason in rules.oddities(spec, has.schemes, releases, at=found.at):
            found.warn(_within(found, place, path), reason)


def _within(found: Findings, place: Place, path: str) -> Place:
    """The place of a rule's part; that of the rule where a baseline's bare range is no key of its own."""
    inner = (*place, *_steps(path))
    return inner if not found.source.lines or inner in found.source.lines else place


def _steps(path: str) -> Place:
    """`.variants[0].range` as a place."""
    return tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path))


def _window(found: Findings, place: Place, document: Mapping[str, Any]) -> None:
    end_key = "until" if "until" in document else "effective_until"
    start = _moment(found, (*place, "effective_from"), document.get("effective_from"), moments.starting)
    end = _moment(found, (*place, end_key), document.get(end_key), moments.ending)
    if start and end and end <= start:
        found.refuse((*place, end_key), "ends before it starts")
    else:
        _warn_if_over(found, (*place, end_key), end, "it binds nobody")


def _warn_if_over(found: Findings, place: Place, end: datetime | None, so: str) -> None:
    if end is not None and end <= found.at:
        found.warn(place, f"has passed already: {so}")


def _moment(
    found: Findings, place: Place, text: str | None, reading: Callable[..., datetime]
) -> datetime | None:
    if text is None:
        return None
    try:
        return reading(text, at=found.at)
    except moments.MomentError as error:
        found.refuse(place, str(error))
        return None
