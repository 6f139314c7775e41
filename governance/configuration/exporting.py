"""What is in force, as the files that would put it in force."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from governance import policies
from governance.configuration import files
from governance.documents import ConfigurationError, Problem
from governance.models import Configuration, Exemption, Policy, Profile
from tenants.models import Group

FORMAT = 1
# The order in which people write what a document says; the database keeps none. Anything else comes after it.
_WRITTEN = (
    "version", "groups", "directory", "profiles", "sla", "freezes", "baselines", "policies", "holds",
    "exemptions", "name", "title", "mode", "prefer", "weight", "profile", "tenant", "tenants", "keys",
    "tiers", "labels", "except",
    "policy", "rule", "plugin", "plugins", "range", "at_least", "at_most", "exactly", "same", "at", "within",
    "channel", "min_age", "deny", "present", "absent", "hold", "severity", "variants", "effective_from",
    "effective_until", "grace_period", "versions", "rules", "from", "until", "reason",
    "email", "first_name", "last_name", "language", "roles", "base", "group", "filter", "disabled", "prefix",
    "member", "members", "people", "ldap",
)  # fmt: skip
_PLACES = {key: place for place, key in enumerate(_WRITTEN)}


def export_baselines(groups: Iterable[Group]) -> dict[str, Any]:
    """The document of multi_tenant_baselines.yaml for these groups.

    Exemptions that were asked for in the console have no place in a file; they stay where they are.
    """
    return {"version": FORMAT, "groups": {group.slug: _section(group) for group in groups}}


def export_directory(groups: Iterable[Group]) -> dict[str, Any]:
    """The document of directory.yaml for these groups. What people entered by hand has no place in a file."""
    written = {group.slug: _configured(group).directory for group in groups}
    return {
        "version": FORMAT,
        "directory": {slug: section for slug, section in written.items() if section is not None},
    }


def export_profiles(groups: Sequence[Group]) -> dict[str, Any]:
    """The document of policy_profiles.yaml. Raises ConfigurationError where groups differ in a profile."""
    found: dict[str, Any] = {}
    for group in groups:
        rows = {row.name: row.document for row in Profile.objects.filter(group=group).order_by("pk")}
        for name in _ordered(_configured(group).order.get("profiles", []), rows):
            if found.setdefault(name, rows[name]) != rows[name]:
                reason = f"the groups differ in the profile “{name}”; export one group at a time"
                raise ConfigurationError([Problem(files.PROFILES, 0, "profiles", reason)])
    return {"version": FORMAT, "profiles": list(found.values())}


def dump(document: Mapping[str, Any]) -> str:
    """YAML that reads back as the same document."""
    text: str = yaml.dump(_arranged(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _arranged(value: Any) -> Any:
    """The same document with its keys as people write them."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: _PLACES.get(key, len(_PLACES)))
        return {key: _arranged(value[key]) for key in keys}
    return [_arranged(item) for item in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Without anchors, which people would have to follow, and with lists set in."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML calls it so
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


# PyYAML writes these unescaped unless quoted twice, and reads them back as a blank.
_BREAKS = re.compile("[\x85\u2028\u2029]")


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _section(group: Group) -> dict[str, Any]:
    configured = _configured(group)
    section: dict[str, Any] = {"sla": configured.sla} if configured.sla is not None else {}
    if configured.freezes is not None:
        section["freezes"] = configured.freezes
    rows = Policy.objects.filter(group=group, status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED])
    in_force = [policy for policy in rows.select_related("current").order_by("pk") if policy.current]
    for name, kind in files.KINDS.items():
        texts = {
            policy.name: policies.as_written(policy.current.document)
            for policy in in_force
            if policy.kind == kind and policy.current
        }
        if texts or name in configured.order:
            section[name] = [texts[key] for key in _ordered(configured.order.get(name, []), texts)]
    written = _exemptions(group, configured)
    if written or "exemptions" in configured.order:
        section["exemptions"] = [
            written[key] for key in _ordered(configured.order.get("exemptions", []), written)
        ]
    return section


def _exemptions(group: Group, configured: Configuration) -> dict[str, Any]:
    """Those that the files gave, but for what a person ended before its time."""
    rows = Exemption.objects.filter(group=group).exclude(name="").order_by("requested_at", "pk")
    ended = {Exemption.Status.REVOKED, Exemption.Status.REJECTED}
    latest = {row.name: row.status for row in rows}
    return {name: text for name, text in configured.exemptions.items() if latest.get(name) not in ended}


def _configured(group: Group) -> Configuration:
    return Configuration.objects.filter(group=group).first() or Configuration(group=group)


def _ordered(order: Sequence[str], names: Iterable[str]) -> list[str]:
    known = list(names)
    return [*(name for name in order if name in known), *(name for name in known if name not in order)]
