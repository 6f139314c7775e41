"""Drift worked out the slow way: each tenant against each rule, straight from what the rules mean.

It shares nothing with the product but the versions' dialects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cmp_to_key
from typing import Any

from governance import versions

SEMVER = versions.scheme("semver")
key_of = cmp_to_key(SEMVER.compare)


@dataclass
class Release:
    version: str
    released_at: datetime
    channel: str = ""
    withdrawn: bool = False
    warned: bool = False


@dataclass
class Tenant:
    ring: str
    installed: dict[str, str] = field(default_factory=dict)


@dataclass
class Policy:
    document: Mapping[str, Any]
    deny: tuple[str, ...]
    since: datetime


@dataclass
class Exemption:
    tenant: str
    policy: str
    rule: str
    plugin: str | None
    starts: datetime
    ends: datetime
    revoked: bool = False


@dataclass
class Binding:
    """What one rule of a policy wants of one tenant; `variant` counts from zero, -1 for the rule's own."""

    policy: str
    rule: str
    variant: int
    plugins: list[str]
    wish: Mapping[str, Any]


Finding = tuple[str, str, str, str, str | None, bool]  # tenant, plugin, policy, rule, version, exempt


@dataclass
class Model:
    """The world as plain values."""

    host: str
    plugins: dict[str, list[Release]]
    tenants: dict[str, Tenant]
    policies: dict[str, Policy] = field(default_factory=dict)
    exemptions: list[Exemption] = field(default_factory=list)

    def drift(self, at: datetime) -> set[Finding]:
        """Every break of every rule."""
        return {
            (tenant, plugin, bound.policy, bound.rule, version, self._exempt(tenant, bound, plugin, at))
            for tenant in self.tenants
            for bound in self._bindings(tenant, at)
            for plugin, version in self._broken(tenant, bound, at)
        }

    def _broken(self, tenant: str, bound: Binding, at: datetime) -> Iterator[tuple[str, str | None]]:
        installed = self.tenants[tenant].installed
        for plugin in bound.plugins:
            version = installed.get(plugin)
            if version is None:
                if "present" in bound.wish and installed:
                    yield plugin, None
            elif _chooses(bound.wish):
                target = self._target(bound, plugin, at)
                if target is not None and SEMVER.compare(version, target) != 0:
                    yield plugin, version
            elif not self._allows(bound.wish, plugin, version, at):
                yield plugin, version

    def _bindings(self, tenant: str, at: datetime) -> Iterator[Binding]:
        """The rules in force for the tenant, each as the variant that is its own."""
        for name, policy in self.policies.items():
            document = policy.document
            begins, ends = (_ahead(document.get(edge)) for edge in ("effective_from", "effective_until"))
            if begins is not None and at < policy.since + begins:
                continue
            if ends is not None and at >= policy.since + ends:
                continue
            if not self._chosen(document["tenants"], tenant):
                continue
            everything = [plugin for plugin in self.plugins if plugin != self.host]
            for rule in document["rules"]:
                variant, wish = -1, rule
                for place, other in enumerate(rule.get("variants", [])):
                    if self._chosen(other["tenants"], tenant):
                        variant, wish = place, other
                        break
                plugins = everything if rule["plugins"] == "*" else rule["plugins"]
                yield Binding(name, rule["name"], variant, plugins, wish)
            for state in policy.deny:
                yield Binding(name, f"profile-{state}", -1, everything, {"deny": state})

    def _allows(  # noqa: C901 - one case a kind of rule
        self, wish: Mapping[str, Any], plugin: str, version: str, at: datetime
    ) -> bool:
        release = next(release for release in self.plugins[plugin] if release.version == version)
        match wish:
            case {"range": text}:
                return SEMVER.range(text).contains(version)
            case {"at_least": bound}:
                return SEMVER.compare(version, bound) >= 0
            case {"at_most": bound}:
                return SEMVER.compare(version, bound) <= 0
            case {"exactly": bound} | {"same": True, "at": bound}:
                return SEMVER.compare(version, bound) == 0
            case {"within": distance}:
                return self._near(distance, plugin, version, at)
            case {"channel": channel}:
                return bool(release.channel == channel)
            case {"min_age": text}:
                return release.released_at + timedelta(days=int(text[:-1])) <= at
            case {"deny": "vulnerable"}:
                return not release.warned
            case {"deny": "withdrawn"}:
                return not release.withdrawn
            case {"deny": text}:
                return not SEMVER.range(text).contains(version)
            case {"absent": True}:
                return False
        return True

    def _near(self, distance: Mapping[str, Any], plugin: str, version: str, at: datetime) -> bool:
        channel = distance.get("channel")
        counted = [
            release.version
            for release in self.plugins[plugin]
            if not release.withdrawn
            and release.released_at <= at
            and (release.channel == channel if channel else not SEMVER.is_prerelease(release.version))
        ]
        for unit, count in distance.items():
            if unit == "channel" or not counted:
                continue
            lines = sorted((_line(unit, other) for other in counted), reverse=True)
            lines = [line for place, line in enumerate(lines) if place == 0 or line != lines[place - 1]]
            if _line(unit, version) < lines[min(count, len(lines) - 1)]:
                return False
        return True

    def _target(self, bound: Binding, plugin: str, at: datetime) -> str | None:
        """The version that the most tenants can reach, of several the newest."""
        out = [r for r in self.plugins[plugin] if r.released_at <= at and not r.withdrawn]
        stable = [release for release in out if not SEMVER.is_prerelease(release.version)]
        candidates = [release.version for release in stable or out]
        reach = {
            version: sum(
                self._reaches(tenant, bound, plugin, version, at)
                for tenant in self._sharing(bound, plugin, at)
            )
            for version in candidates
        }
        return max(candidates, key=lambda version: (reach[version], key_of(version)), default=None)

    def _sharing(self, bound: Binding, plugin: str, at: datetime) -> list[str]:
        """The tenants that the same variant of the rule binds, that have the plugin and aren't exempt."""
        return [
            name
            for name, tenant in self.tenants.items()
            if plugin in tenant.installed and not self._exempt(name, bound, plugin, at)
            for other in self._bindings(name, at)
            if (other.policy, other.rule, other.variant) == (bound.policy, bound.rule, bound.variant)
        ]

    def _reaches(self, tenant: str, bound: Binding, plugin: str, version: str, at: datetime) -> bool:
        """By going up, or by staying: what is older than what the tenant has is out of its reach."""
        if SEMVER.compare(version, self.tenants[tenant].installed[plugin]) < 0:
            return False
        for other in self._bindings(tenant, at):
            if plugin not in other.plugins or _chooses(other.wish) or self._exempt(tenant, other, plugin, at):
                continue
            if "hold" in other.wish and self.tenants[tenant].installed[plugin] != version:
                return False
            if not self._allows(other.wish, plugin, version, at):
                return False
        return True

    def _exempt(self, tenant: str, bound: Binding, plugin: str, at: datetime) -> bool:
        return any(
            exemption.tenant == tenant
            and exemption.policy == bound.policy
            and exemption.rule in ("", bound.rule)
            and exemption.plugin in (None, plugin)
            and exemption.starts <= at < exemption.ends
            and not exemption.revoked
            for exemption in self.exemptions
        )

    def _chosen(self, selector: Any, tenant: str) -> bool:
        match selector:
            case "*":
                return True
            case {"keys": keys}:
                return tenant in keys
            case {"labels": {"ring": ring}}:
                return bool(self.tenants[tenant].ring == ring)
            case {"except": inner}:
                return not self._chosen(inner, tenant)
        raise AssertionError(selector)


def _chooses(wish: Mapping[str, Any]) -> bool:
    return "same" in wish and "at" not in wish


def _ahead(text: str | None) -> timedelta | None:
    """`in 3d`"""
    return None if text is None else timedelta(days=int(text[3:-1]))


def _line(unit: str, version: str) -> Any:
    if unit == "releases":
        return key_of(version)
    parts = SEMVER.parts(version)
    assert parts is not None
    return parts[: {"major": 1, "minor": 2, "patch": 3}[unit]]
