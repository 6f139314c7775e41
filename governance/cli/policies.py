"""policy list, show, pause, resume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import typer
from django.db.models import Count
from rich.syntax import Syntax

from config.access import Actor
from governance import configuration, policies, policy_documents, rules
from governance.cli.output import Output, operator
from governance.models import Finding, Policy, PolicyVersion, SelectionTenant
from governance.policy_wording import tenants_in_words
from tenants.models import Group


def named(group: Group, name: str) -> Policy:
    """The group's policy of that name."""
    found = Policy.objects.filter(group=group, name=name).select_related("current", "group").first()
    if found is None:
        names = ", ".join(Policy.objects.filter(group=group).order_by("name").values_list("name", flat=True))
        raise typer.BadParameter(f"{group} has no policy {name}. Policies: {names or 'none yet'}.")
    return found


def list_policies(out: Output, group: Group, *, retired: bool) -> None:
    """The policies with their open drift."""
    rows = Policy.objects.filter(group=group).select_related("current").order_by("kind", "name")
    if not retired:
        rows = rows.exclude(status=Policy.Status.RETIRED)
    drift = _open_drift(group)
    documents = [
        {
            "name": row.name,
            "kind": row.kind,
            "title": row.title,
            "status": row.status,
            "version": row.current.number if row.current else None,
            "profile": row.current.profile_name if row.current else None,
            "mode": row.current.profile.get("mode") if row.current else None,
            "drift": drift[row.pk, False],
            "accepted": drift[row.pk, True],
        }
        for row in rows
    ]
    columns = {
        "name": "name",
        "kind": "kind",
        "status": "status",
        "v": "version",
        "mode": "mode",
        "drift": "drift",
        "exempt": "accepted",
    }

    def show() -> None:
        if not documents:
            out.say("No policies yet. `policy apply` puts those of config/version in force.")
            return
        rows = [[document[key] for key in columns.values()] for document in documents]
        out.table(f"Policies of {group}", list(columns), rows)

    out.answer({"group": group.slug, "policies": documents}, show)


def show_policy(out: Output, policy: Policy, number: int | None) -> None:
    """One policy: what it says, whom it selects, its versions."""
    versions = list(policy.versions.order_by("-number"))
    version = next((one for one in versions if number in {None, one.number}), None)
    if number is None and policy.current:
        version = policy.current
    if version is None:
        raise typer.BadParameter(f"{policy} has no version {number}.")
    document = _as_document(policy, version, versions)

    def show() -> None:
        status = policy.get_status_display().lower()
        out.say(f"{policy.name}: {policy.kind}, {status}, version {version.number}", "bold")
        if policy.title:
            out.say(policy.title)
        text = configuration.dump(policies.as_written(version.document))
        out.console.print(Syntax(text, "yaml", background_color="default"))
        out.table("Rules", ("rule", "severity", "says"), [_rule_row(rule) for rule in document["rules"]])
        out.say(f"{document['tenants']} tenants selected, {document['drift']} findings open")
        rows = [
            [one["number"], one["created_at"], one["author"], one["comment"]] for one in document["versions"]
        ]
        out.table("Versions", ("version", "when", "by", "comment"), rows)

    out.answer(document, show)


def pause(out: Output, policy: Policy, *, reason: str, at: datetime) -> None:
    """Let a policy act on nothing."""
    _switch(out, policy, policies.pause, "paused", reason=reason, at=at)


def resume(out: Output, policy: Policy, *, reason: str, at: datetime) -> None:
    """Let a paused policy act again."""
    _switch(out, policy, policies.resume, "in force again", reason=reason, at=at)


def _open_drift(group: Group) -> Counter[tuple[int, bool]]:
    """How much of each policy's drift is open, by whether an exemption covers it."""
    found: Counter[tuple[int, bool]] = Counter()
    rows = Finding.objects.filter(group=group).open().order_by().values_list("policy_id", "status")
    for policy_id, status, count in rows.annotate(count=Count("pk")):
        found[policy_id, status == Finding.Status.ACCEPTED] += count
    return found


def _switch(
    out: Output, policy: Policy, change: Callable[..., None], told: str, *, reason: str, at: datetime
) -> None:
    actor: Actor = operator()
    change(policy, actor=actor, at=at, reason=reason)
    document = {"name": policy.name, "status": policy.status, "reason": reason}
    out.answer(document, lambda: out.say(f"{policy.name} is {told}."))


def _as_document(policy: Policy, version: PolicyVersion, versions: list[PolicyVersion]) -> dict[str, Any]:
    expanded = policy_documents.expand(version.document, version.profile, at=version.created_at)
    specs = rules.parse_all(expanded.rules)
    members = SelectionTenant.objects.filter(selection__in=version.rules.values("selection"))
    return {
        "name": policy.name,
        "kind": policy.kind,
        "title": policy.title,
        "status": policy.status,
        "version": version.number,
        "in_force": policies.is_in_force(version),
        "mode": expanded.mode,
        "profile": version.profile,
        "document": policies.as_written(version.document),
        "rules": [_rule(spec) for spec in specs],
        "tenants": members.values("tenant").distinct().count(),
        "drift": Finding.objects.filter(policy=policy).outstanding().count(),
        "versions": [
            {
                "number": one.number,
                "created_at": one.created_at.isoformat(timespec="seconds"),
                "author": one.author_name,
                "comment": one.comment,
            }
            for one in versions
        ],
    }


def _rule(spec: rules.RuleSpec) -> dict[str, Any]:
    return {
        "name": spec.key,
        "plugins": spec.plugins or "*",
        "tenants": spec.tenants,
        "says": rules.says(spec.wish, spec.plugins),
        "severity": spec.severity,
        "variants": [
            {"name": one.name, "tenants": one.tenants, "says": rules.says(one.wish, spec.plugins)}
            for one in spec.variants
        ],
    }


def _rule_row(rule: dict[str, Any]) -> list[str]:
    bound = "" if rule["tenants"] == "*" else f", only for {tenants_in_words(rule['tenants'])}"
    variants = "".join(f"; {one['name']}: {one['says']}" for one in rule["variants"])
    return [rule["name"], rule["severity"], f"{rule['says']}{bound}{variants}"]
