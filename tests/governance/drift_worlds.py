"""A group that steps happen to, and the same as plain values for the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from config.access import SYSTEM
from governance import catalogue, drift, exemptions
from governance.models import Exemption, Finding, Plugin, Policy, Release
from tenants.models import Group, Tenant
from tests import factories
from tests.factories import AT
from tests.governance import drift_oracle as oracle

HOST = "host"
TENANTS = {"alpha": "pilot", "beta": "main", "gamma": "main"}
# Version, days until it is out, channel.
CATALOGUE = {
    "crm": [("1.0.0", -60, ""), ("2.0.0", -40, "lts"), ("2.1.0", -18, "lts"), ("3.0.0-rc.1", -15, ""),
            ("3.0.0", 4, "")],
    "mail": [("1.0.0", -60, "lts"), ("1.1.0", -30, ""), ("2.0.0", -2, "")],
    HOST: [("10.0.0", -60, ""), ("11.0.0", -30, "")],
}  # fmt: skip
LATER = {"crm": ["2.0.1", "4.0.0"], "mail": ["1.2.0", "3.0.0"], HOST: ["12.0.0"]}
POLICIES = ("first", "second", "third")

Step = tuple[Any, ...]


class World:
    """One group that the steps happen to, judged in full or only where something happened."""

    def __init__(self, slug: str, *, in_full: bool) -> None:
        self.in_full = in_full
        self.at = AT
        self.group = factories.group(slug)
        self.tenants = {key: factories.tenant(self.group, key, ring=ring) for key, ring in TENANTS.items()}
        for name, releases in CATALOGUE.items():
            plugin = factories.plugin(
                self.group, name, [version for version, _, _ in releases], host=name == HOST
            )
            for version, days, channel in releases:
                dated = {"released_at": AT + timedelta(days=days), "channel": channel}
                Release.objects.filter(plugin=plugin, version=version).update(
                    prerelease="-" in version, **dated
                )

    def take(self, step: Step) -> None:
        """Do one step, and detect what follows from it."""
        scope = getattr(self, f"_{step[0]}")(*step[1:])
        drift.detect(self.group, at=self.at, **({} if self.in_full else scope))

    def _install(self, tenant: str, installed: Mapping[str, str]) -> Mapping[str, Any]:
        known = {
            plugin: version
            for plugin, version in installed.items()
            if Release.objects.filter(group=self.group, plugin__name=plugin, version=version).exists()
        }
        factories.install(self.tenants[tenant], known)
        return {"tenant_ids": [self.tenants[tenant].pk]}

    def _policy(self, name: str, document: Mapping[str, Any], deny: tuple[str, ...]) -> Mapping[str, Any]:
        policy = factories.policy(self.group, name, profile={"deny": deny}, at=self.at, **document)
        return {"policy_ids": [policy.pk]}

    def _retire(self, name: str) -> Mapping[str, Any]:
        policies = Policy.objects.filter(group=self.group, name=name)
        policies.update(status=Policy.Status.RETIRED)
        return {"policy_ids": [policy.pk for policy in policies]}

    def _exempt(
        self, tenant: str, policy: str, rule: str, plugin: str | None, starts: int, days: int
    ) -> Mapping[str, Any]:
        of = Policy.objects.filter(group=self.group, name=policy).first()
        if of is None:
            return {"tenant_ids": []}
        begins = self.at + timedelta(days=starts)
        factories.exemption(
            self.tenants[tenant], of, rule_key=rule, starts_at=begins, until=begins + timedelta(days=days),
            plugin=Plugin.objects.get(group=self.group, name=plugin) if plugin else None,
            name=f"e{Exemption.objects.filter(group=self.group).count()}", decided_at=self.at,
        )  # fmt: skip
        return {"tenant_ids": [self.tenants[tenant].pk]}

    def _revoke(self, tenant: str) -> Mapping[str, Any]:
        rows = Exemption.objects.filter(group=self.group, tenant=self.tenants[tenant], status="approved")
        rows.update(status=Exemption.Status.REVOKED)
        return {"tenant_ids": [self.tenants[tenant].pk]}

    def _tick(self, days: int) -> Mapping[str, Any]:
        self.at += timedelta(days=days)
        return {"tenant_ids": []}

    def _expire(self) -> Mapping[str, Any]:
        exemptions.expire_due(self.group, at=self.at)
        return {"tenant_ids": []}

    def _publish(self, plugin: str, version: str) -> Mapping[str, Any]:
        release = {"version": version, "released_at": self.at.isoformat()}
        self._load({"plugin": plugin, "releases": [release]})
        return {"tenant_ids": []}

    def _withdraw(self, plugin: str, version: str) -> Mapping[str, Any]:
        release = Release.objects.get(group=self.group, plugin__name=plugin, version=version)
        catalogue.withdraw(release, actor=SYSTEM, at=self.at)
        return {"tenant_ids": []}

    def _warn(self, plugin: str, version: str) -> Mapping[str, Any]:
        warning = {"id": f"W-{version}", "title": "Bad", "url": "", "affects": [version]}
        self._load({"plugin": plugin, "releases": [], "advisories": [warning]})
        return {"tenant_ids": [self.tenants["beta"].pk]}

    def _load(self, document: Mapping[str, Any]) -> None:
        catalogue.load(self.group, [{"scheme": "semver", **document}], actor=SYSTEM, at=self.at)

    def _label(self, tenant: str, ring: str) -> Mapping[str, Any]:
        Tenant.objects.filter(pk=self.tenants[tenant].pk).update(labels={"ring": ring})
        return {"tenant_ids": [self.tenants[tenant].pk]}

    def _seal(self) -> Mapping[str, Any]:
        self.group.open_snapshot += 1
        Group.objects.filter(pk=self.group.pk).update(open_snapshot=self.group.open_snapshot)
        for tenant in self.tenants.values():
            tenant.group = self.group
        return {"tenant_ids": [self.tenants["alpha"].pk]}

    def open_drift(self) -> set[oracle.Finding]:
        """The open findings in the oracle's words."""
        rows = Finding.objects.filter(group=self.group).open()
        return {
            (*row[:-1], row[-1] == Finding.Status.ACCEPTED)
            for row in rows.values_list(
                "tenant__key", "plugin__name", "policy__name", "rule_key", "release__version", "status"
            )
        }

    def history(self) -> list[tuple[Any, ...]]:
        """All findings that ever were, with all that detection decides about them."""
        rows = Finding.objects.filter(group=self.group).values_list(
            "tenant__key", "plugin__name", "policy__name", "rule_key", "rule__variant",
            "rule__version__number", "release__version", "status", "severity", "exemption__name",
            "opened_at", "opened_snapshot", "closed_at", "closed_snapshot", "due_at",
        )  # fmt: skip
        return sorted(rows, key=repr)


class Model(oracle.Model):
    """The oracle's world, taken through the same steps."""

    def __init__(self) -> None:
        self.at = AT
        self.known: set[str] = set()
        plugins = {
            name: [
                oracle.Release(version, AT + timedelta(days=days), channel) for version, days, channel in rows
            ]
            for name, rows in CATALOGUE.items()
        }
        super().__init__(HOST, plugins, {key: oracle.Tenant(ring) for key, ring in TENANTS.items()})

    def take(self, step: Step) -> None:  # noqa: C901 - one case a kind of step
        """Do one step."""
        match step:
            case "install", tenant, installed:
                known = {p: v for p, v in installed.items() if any(r.version == v for r in self.plugins[p])}
                self.tenants[tenant].installed = known
            case "policy", name, document, deny:
                self.policies[name] = oracle.Policy(document, deny, self.at)
                self.known.add(name)
            case "retire", name:
                self.policies.pop(name, None)
            case "exempt", tenant, policy, rule, plugin, starts, days if policy in self.known:
                begins = self.at + timedelta(days=starts)
                ends = begins + timedelta(days=days)
                self.exemptions.append(oracle.Exemption(tenant, policy, rule, plugin, begins, ends))
            case "revoke", tenant:
                self.exemptions = [
                    replace(e, revoked=e.revoked or e.tenant == tenant) for e in self.exemptions
                ]
            case "tick", days:
                self.at += timedelta(days=days)
            case "publish", plugin, version:
                self.plugins[plugin].append(oracle.Release(version, self.at))
            case "withdraw", plugin, version:
                self._release(plugin, version).withdrawn = True
            case "warn", plugin, version:
                self._release(plugin, version).warned = True
            case "label", tenant, ring:
                self.tenants[tenant].ring = ring

    def _release(self, plugin: str, version: str) -> oracle.Release:
        return next(release for release in self.plugins[plugin] if release.version == version)
