"""Which rules would undo it if tenants were taken to other versions, and which hold them where they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.bindings import RuleRow, phrase, rule_rows
from governance.compilation.judgements import broken_by
from governance.demands import PluginRow
from governance.models import Exemption, Plugin, Release, Rule, SelectionTenant
from governance.models.rule import RuleKind
from tenants.models import Group, Tenant

Pair = tuple[str, str]  # a tenant's key and a plugin's name
Versions = Mapping[Pair, str | None]  # None where the plugin isn't there
_SHOWN = 3  # plugins whose versions a rule is quoted with


@dataclass(slots=True)
class Opposing:
    """A rule that some of the versions break. `acts` says whether its policy would have them changed."""

    rule: RuleRow
    says: dict[str, str] = field(default_factory=dict)  # by plugin
    pairs: list[Pair] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As a rollback keeps it."""
        told = list(self.says.values())
        more = len(told) - _SHOWN
        return {
            "policy": self.rule.policy,
            "rule": self.rule.key,
            "says": "; ".join(told[:_SHOWN]) + (f"; and so on for {more} more" if more > 0 else ""),
            "acts": self.rule.acts,
            "plugins": sorted(self.says),
            "tenants": sorted({tenant for tenant, _ in self.pairs}),
        }


def opposing(group: Group, wanted: Versions, *, at: datetime) -> list[Opposing]:
    """The rules in force that these versions break, holds among them; what is exempt is left in peace."""
    world = _World(group, wanted, at)
    found: dict[tuple[int, str], Opposing] = {}
    for (tenant, plugin), version in sorted(wanted.items(), key=lambda item: item[0]):
        for rule in world.breaking(tenant, plugin, version):
            one = found.setdefault((rule.policy_id, rule.key), Opposing(rule))
            if plugin not in one.says:
                one.says[plugin] = world.phrase(rule, plugin)
            one.pairs.append((tenant, plugin))
    return sorted(found.values(), key=lambda one: (one.rule.policy, one.rule.key))


class _World:
    """What binds these tenants, loaded once."""

    def __init__(self, group: Group, wanted: Versions, at: datetime) -> None:
        plugins = Plugin.objects.filter(group=group, name__in={plugin for _, plugin in wanted})
        self.plugins = {row.name: PluginRow(row.pk, row.name, row.scheme, row.is_host) for row in plugins}
        keys = {tenant for tenant, _ in wanted}
        rows = Tenant.objects.filter(group=group, key__in=keys)
        self.tenants = dict(rows.values_list("key", "pk"))
        ids = Rule.objects.filter(group=group).in_force(at).values_list("pk", flat=True)
        self.rules = rule_rows(list(ids))
        self.releases = _releases({plugin.id for plugin in self.plugins.values()})
        self.broken = broken_by([r.id for r in self.rules], [p.id for p in self.plugins.values()])
        self.members = _members({rule.selection_id for rule in self.rules}, self.tenants.values())
        self.exempt = _exempt(group, self.tenants.values(), at)

    def breaking(self, tenant: str, plugin: str, version: str | None) -> Iterator[RuleRow]:
        """The rules that this version of the plugin would break in the tenant."""
        row, tenant_id = self.plugins[plugin], self.tenants[tenant]
        release = self.releases.get((row.id, version)) if version is not None else None
        for rule in self.rules:
            binds = tenant_id in self.members[rule.selection_id] and rule.covers(row)
            if binds and self._breaks(rule, row, release) and not self._is_exempt(rule, row, tenant_id):
                yield rule

    def phrase(self, rule: RuleRow, plugin: str) -> str:
        """What the rule wants of the plugin."""
        row = self.plugins[plugin]
        target = rule.targets.get(str(row.id))
        versions = {pk: version for (plugin_id, version), pk in self.releases.items() if plugin_id == row.id}
        if rule.kind == RuleKind.HOLD:
            return f"keeps {plugin} as it is"
        return phrase(rule, plugin, versions.get(target) if target is not None else None)

    def _breaks(self, rule: RuleRow, plugin: PluginRow, release: int | None) -> bool:
        if rule.kind == RuleKind.HOLD:
            return True
        if release is None:
            return rule.kind == RuleKind.PRESENT
        return release in self.broken.get(plugin.id, {}).get(rule.id, frozenset())

    def _is_exempt(self, rule: RuleRow, plugin: PluginRow, tenant_id: int) -> bool:
        return any(
            policy == rule.policy_id and key in ("", rule.key) and only in (None, plugin.id)
            for policy, key, only in self.exempt[tenant_id]
        )


def _releases(plugin_ids: Collection[int]) -> dict[tuple[int, str], int]:
    rows = Release.objects.filter(plugin__in=plugin_ids).values_list("plugin_id", "version", "pk")
    return {(plugin, version): pk for plugin, version, pk in rows}


def _members(selections: Collection[int], tenant_ids: Collection[int]) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    rows = SelectionTenant.objects.filter(selection__in=selections, tenant__in=list(tenant_ids))
    for selection, tenant in rows.values_list("selection_id", "tenant_id"):
        found[selection].add(tenant)
    return found


def _exempt(
    group: Group, tenant_ids: Collection[int], at: datetime
) -> Mapping[int, list[tuple[int, str, int | None]]]:
    found: dict[int, list[tuple[int, str, int | None]]] = defaultdict(list)
    rows = Exemption.objects.filter(group=group, tenant__in=list(tenant_ids)).in_force(at)
    about = rows.values_list("tenant_id", "policy_id", "rule_key", "plugin_id")
    for tenant, policy, key, plugin in about:
        found[tenant].append((policy, key, plugin))
    return found
