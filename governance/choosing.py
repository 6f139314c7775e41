"""Why a rule that wants one version everywhere wants this one, told beside the conflicts that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from governance.bindings import RuleRow, rule_rows
from governance.compilation.targets import choices
from governance.models import Conflict, Plugin, Rule
from governance.models.rule import RuleKind

_SHOWN = 4  # versions


@dataclass(frozen=True, slots=True)
class Reach:
    """A version that could be chosen, and how many tenants the other rules let reach it."""

    version: str
    tenants: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule that chooses a version of the plugin, and what there was to choose from, that first."""

    policy: str
    key: str
    plugin: str
    reach: tuple[Reach, ...]


def behind(conflict: Conflict, *, at: datetime) -> list[Choice]:
    """The choices that have a part in the conflict. Only for whoever may know of all tenants of the group."""
    said = {
        (rule["policy"], rule["key"], rule["plugin"])
        for rule in conflict.explanation["rules"]
        if rule.get("kind") == RuleKind.SAME
    }
    if not said:
        return []
    plugins = Plugin.objects.filter(
        group=conflict.group_id, name__in={plugin for *_, plugin in said}
    ).order_by("name")
    in_force = Rule.objects.filter(group=conflict.group_id).in_force(at).values_list("pk", flat=True)
    rows = rule_rows(list(in_force))
    return [
        Choice(row.policy, row.key, plugin.name, tuple(_reach(conflict.group_id, rows, row, plugin, at)))
        for row in rows
        for plugin in plugins
        if row.chooses and (row.policy, row.key, plugin.name) in said and str(plugin.pk) in row.targets
    ]


def _reach(
    group_id: int, rows: tuple[RuleRow, ...], row: RuleRow, plugin: Plugin, at: datetime
) -> Iterator[Reach]:
    chosen = row.targets[str(plugin.pk)]
    _, found = choices(group_id, [one.id for one in rows], (row.id, plugin.pk), at)
    ordered = sorted(found, key=lambda one: (one.release.id != chosen, -len(one.tenants), -one.release.rank))
    for one in ordered[:_SHOWN]:
        yield Reach(one.release.version, len(one.tenants), one.release.id == chosen)
