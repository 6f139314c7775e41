"""What a group has already, against which the names in documents are checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from governance import policy_documents, rules
from governance.models import Plugin, Policy, Profile, Release
from governance.versions import InvalidVersion, scheme
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Known:
    """What the group has already, against which names are checked."""

    schemes: Mapping[str, str]  # plugin -> dialect
    tenants: frozenset[str]
    profiles: frozenset[str]
    policies: Mapping[str, tuple[str, frozenset[str]]]  # policy in force -> kind, rule names
    releases: Callable[[Collection[str]], Mapping[str, rules.Releases]]  # those of these plugins
    tiers: frozenset[str]  # that tenants are of
    labels: Mapping[str, frozenset[str]]  # that tenants have -> values


def known(group: Group) -> Known:
    """What the group has now."""
    policies = Policy.objects.filter(group=group, current__isnull=False).exclude(status=Policy.Status.RETIRED)
    tiers, labels = _tiers_and_labels(group)
    return Known(
        schemes=dict(Plugin.objects.filter(group=group).values_list("name", "scheme")),
        tenants=frozenset(Tenant.objects.filter(group=group).values_list("key", flat=True)),
        profiles=frozenset(Profile.objects.filter(group=group).values_list("name", flat=True)),
        policies={
            policy.name: (policy.kind, rule_names(policy.current.document, policy.current.profile))
            for policy in policies.select_related("current")
            if policy.current is not None
        },
        releases=partial(_releases, group),
        tiers=tiers,
        labels=labels,
    )


def _tiers_and_labels(group: Group) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    rows = Tenant.objects.filter(group=group).order_by().values_list("tier", "labels").distinct()
    tiers, values = set[str](), defaultdict[str, set[str]](set)
    for tier, labels in rows:
        tiers.add(tier)
        for label, value in labels.items():
            values[label].add(value)
    return frozenset(tiers), {label: frozenset(some) for label, some in values.items()}


def _releases(group: Group, plugins: Collection[str]) -> dict[str, list[rules.ReleaseFacts]]:
    """What the catalogue and the tenants have of them, the newest first, which most rules take."""
    rows = Release.objects.filter(plugin__group=group, plugin__name__in=plugins).order_by("-rank")
    found = defaultdict[str, list[rules.ReleaseFacts]](list)
    for plugin, pk, version, rank, channel in rows.values_list(
        "plugin__name", "pk", "version", "rank", "channel"
    ):
        found[plugin].append(rules.ReleaseFacts(pk, version, rank, channel))
    return found


def with_releases(has: Known, group: Group, releases: Sequence[Mapping[str, Any]]) -> Known:
    """The same with releases that are supposed to come, new plugins among them.

    A version that its dialect can't order is left out: whoever reads the releases refuses it.
    """
    new = {one["plugin"]: one.get("scheme", group.default_scheme) for one in releases}
    schemes = {**new, **has.schemes}

    def with_new(plugins: Collection[str]) -> dict[str, list[rules.ReleaseFacts]]:
        there = has.releases(plugins)
        found = {plugin: list(there.get(plugin, ())) for plugin in plugins}
        for one in releases:
            if one["plugin"] in found and _orders(schemes[one["plugin"]], one["version"]):
                facts = rules.ReleaseFacts(0, one["version"], 0, one.get("channel", ""))
                found[one["plugin"]].append(facts)
        return found

    return replace(has, schemes=schemes, releases=with_new)


def _orders(dialect: str, version: str) -> bool:
    try:
        scheme(dialect).key(version)
    except InvalidVersion:
        return False
    return True


def rule_names(document: Mapping[str, Any], profile: Mapping[str, Any]) -> frozenset[str]:
    """The names by which an exemption may name a rule of the policy, the profile's denials among them."""
    names = {str(rule["name"]) for rule in policy_documents.rules_of(document)}
    return frozenset(names | {rules.PROFILE_DENIALS[switch] for switch in profile.get("deny", ())})
