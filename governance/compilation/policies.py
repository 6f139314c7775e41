"""A policy's version turned into compiled rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from governance import policy_documents, selections
from governance.compilation import judgements, members
from governance.compilation.standing import is_open
from governance.models import Plugin, PolicyVersion, Rule, Violation
from governance.policy_documents import ExpandedPolicy
from governance.rules import PROFILE_DENIALS, RuleSpec, Wish, check_dialects, parse_all

# How grave it is to run what a profile denies by its switches.
_DENIAL_SEVERITY = {"vulnerable": "high", "withdrawn": "medium"}
_COMPILED = (
    "kind", "plugins", "spec", "selection_id", "weight", "mode", "severity", "sla_days", "effective_from",
    "effective_until",
)  # fmt: skip


@transaction.atomic
def compile_version(version: PolicyVersion, *, at: datetime) -> list[Rule]:
    """Compile a policy's text as it binds at that time. Raises RuleError.

    Doing it twice is the same as once. Rules that come out other than before are left to be detected; the
    targets of `same` rules are chosen only then, in view of the other rules.
    """
    expanded = policy_documents.expand(version.document, version.profile, at=version.created_at)
    specs = [*parse_all(expanded.rules), *_denials(expanded)]
    plugin_ids = _plugin_ids(version, specs)
    wanted = [row for spec in specs for row in _rows(version, expanded, spec, plugin_ids, at)]
    rows = _write(version, wanted, at)
    members.settle(version.policy.group_id, [row.selection for row in rows])
    for row in rows:
        row.recompile_at = _next_edge(row, expanded, at)
    changed = judgements.judge(rows, at=at)
    Rule.objects.filter(pk__in={rule for rule, _ in changed}).update(detected=False)
    if version.policy.current_id == version.pk:
        _forget_others(version)
    return rows


def _forget_others(version: PolicyVersion) -> None:
    """What breaks the rules of versions that bind no longer; put in force again, they are compiled again."""
    others = Rule.objects.filter(policy_id=version.policy_id).exclude(version=version)
    Violation.objects.filter(rule_id__in=list(others.values_list("pk", flat=True))).delete()


def _denials(expanded: ExpandedPolicy) -> Iterator[RuleSpec]:
    for state in expanded.deny:
        severity = _DENIAL_SEVERITY[state]
        yield RuleSpec(
            key=PROFILE_DENIALS[state],
            plugins=None,
            wish=Wish("deny", {"deny": state}),
            severity=severity,
            weight=expanded.weight,
            sla_days=expanded.sla.get(severity),
            variants=(),
        )


def _plugin_ids(version: PolicyVersion, specs: Sequence[RuleSpec]) -> dict[str, int]:
    """The ids of the plugins that the rules name. One that must not be there needn't be in the catalogue."""
    group = version.policy.group
    names = {name for spec in specs for name in spec.plugins or ()}
    known = {plugin.name: plugin for plugin in Plugin.objects.filter(group=group, name__in=names)}
    for spec in specs:
        check_dialects(spec, {name: plugin.scheme for name, plugin in known.items()})
    for name in sorted(names - known.keys()):
        known[name] = Plugin.objects.create(
            group=group, name=name, scheme=group.default_scheme, catalogued=False
        )
    return {name: plugin.pk for name, plugin in known.items()}


def _rows(
    version: PolicyVersion,
    expanded: ExpandedPolicy,
    spec: RuleSpec,
    plugin_ids: dict[str, int],
    at: datetime,
) -> Iterator[Rule]:
    """A row for what the rule wants of most, and one for each variant, which comes before the later ones."""
    for name, wish, chosen in _wishes(expanded, spec):
        yield Rule(
            group_id=version.policy.group_id,
            policy_id=version.policy_id,
            version=version,
            key=spec.key,
            variant=name,
            kind=wish.kind,
            plugins=sorted(plugin_ids[plugin] for plugin in spec.plugins or ()),
            spec=dict(wish.value),
            selection=members.selection_of(version.policy.group_id, chosen),
            weight=spec.weight,
            mode=expanded.mode_at(at),
            severity=spec.severity,
            sla_days=spec.sla_days,
            effective_from=expanded.effective_from,
            effective_until=expanded.effective_until,
        )


def _wishes(expanded: ExpandedPolicy, spec: RuleSpec) -> Iterator[tuple[str, Wish, dict[str, Any]]]:
    """The rule's wish and those of its variants by name, each with the selector of those whom it binds."""
    bound = [expanded.tenants] if spec.tenants == "*" else [expanded.tenants, spec.tenants]
    instead = [variant.tenants for variant in spec.variants]
    yield "", spec.wish, selections.combined(bound, instead)
    for place, variant in enumerate(spec.variants):
        yield variant.name, variant.wish, selections.combined([*bound, variant.tenants], instead[:place])


def _write(version: PolicyVersion, wanted: Iterable[Rule], at: datetime) -> list[Rule]:
    """Make the version's rules those that are wanted, keeping the rows, so the ids, of those that stay."""
    present = {(rule.key, rule.variant): rule for rule in Rule.objects.filter(version=version)}
    rows: list[Rule] = []
    for new in wanted:
        row = present.pop((new.key, new.variant), None)
        if row is None:
            new.save()
            rows.append(new)
            continue
        if _differs(row, new) or is_open(row, row.compiled_at) != is_open(row, at):
            for name in _COMPILED:
                setattr(row, name, getattr(new, name))
            row.selection = new.selection
            row.detected = False
            row.save()
        rows.append(row)
    Rule.objects.filter(pk__in=[rule.pk for rule in present.values()]).delete()
    return rows


def _differs(row: Rule, new: Rule) -> bool:
    return any(getattr(row, name) != getattr(new, name) for name in _COMPILED)


def _next_edge(row: Rule, expanded: ExpandedPolicy, at: datetime) -> datetime | None:
    """When the window opens or closes next, or the mode changes."""
    edges = (row.effective_from, row.effective_until, expanded.mode_changes_at(at))
    return min((edge for edge in edges if edge is not None and edge > at), default=None)
