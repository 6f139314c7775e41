"""What a group has already, against which the names in documents are checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from governance import policy_documents, rules
from governance.models import Plugin, Policy, Profile, Release
from governance.versions import InvalidVersion, UnknownScheme, scheme
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Traits:
    """By what tenants are selected, beside their keys."""

    tiers: frozenset[str]
    labels: Mapping[str, frozenset[str]]  # -> values


@dataclass(frozen=True, slots=True)
class Known:
    """What the group has already, against which names are checked."""

    schemes: Mapping[str, str]  # plugin -> dialect
    tenants: frozenset[str]
    profiles: frozenset[str]
    policies: Mapping[str, tuple[str, frozenset[str]]]  # policy in force -> kind, rule names
    releases: Callable[[Collection[str]], Mapping[str, rules.Releases]]  # those of these plugins
    traits: Callable[[], Traits]  # of its tenants, read where a selector names any


def known(group: Group) -> Known:
    """What the group has now."""
    policies = Policy.objects.filter(group=group, current__isnull=False).exclude(status=Policy.Status.RETIRED)
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
        traits=cache(partial(_traits, group)),
    )


def _traits(group: Group) -> Traits:
    """Those of the active tenants, which alone are selected."""
    rows = Tenant.objects.filter(group=group).active().order_by()
    tiers, values = set[str](), defaultdict[str, set[str]](set)
    for tier, labels in rows.values_list("tier", "labels").distinct():
        tiers.add(tier)
        for label, value in labels.items():
            values[label].add(str(value))
    return Traits(frozenset(tiers), {label: frozenset(some) for label, some in values.items()})


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

    What has no dialect, and a version that its dialect can't order, is left out: whoever reads the releases
    refuses it. Of several dialects of a new plugin the first counts, as it does there.
    """
    schemes = dict(has.schemes)
    for one in releases:
        dialect = one.get("scheme", group.default_scheme)
        if _is_dialect(dialect):
            schemes.setdefault(one["plugin"], dialect)

    def with_new(plugins: Collection[str]) -> dict[str, list[rules.ReleaseFacts]]:
        there = has.releases(plugins)
        found = {plugin: list(there.get(plugin, ())) for plugin in plugins}
        for one in releases:
            if one["plugin"] in found.keys() & schemes and _orders(schemes[one["plugin"]], one["version"]):
                facts = rules.ReleaseFacts(0, one["version"], 0, one.get("channel", ""))
                found[one["plugin"]].append(facts)
        return found

    return replace(has, schemes=schemes, releases=with_new)


def _is_dialect(name: str) -> bool:
    try:
        scheme(name)
    except UnknownScheme:
        return False
    return True


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
