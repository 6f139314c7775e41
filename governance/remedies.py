"""A way out of a conflict turned into exemptions asked for, a hold changed, a policy varied.

A decision sets the way's rules aside as long as the conflict is the same. These change what made it instead,
each through the door that such a change has anyway, with its permission, its record in the ledger and, for
exemptions, somebody else's approval. Texts are kept as drafts: their impact is looked at before they bind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from config.access import Actor
from governance import decisions, exemptions, policies, policy_edits, standing, ways_out
from governance.models import Conflict, Exemption, Plugin, Policy, PolicyVersion
from governance.outcomes import Precedent, TenantOutcome, evaluate_outcomes
from governance.ways_out import Aside, Kind, Remedy, Way
from tenants.models import Tenant

# Where more are needed, it is the rule that is wrong: nobody reads so many requests.
MOST_EXEMPTIONS = 500


class RemedyRefused(Exception):
    """A way out can't be turned into that, or can't any more."""


@transaction.atomic
def ask_for_exemptions(
    conflict: Conflict, way: Way, *, reason: str, expires_at: datetime, actor: Actor, at: datetime
) -> list[Exemption]:
    """Ask for an exemption from each rule in each tenant touched; all are asked for, or none.

    What is asked for or granted already isn't asked for again. Raises RemedyRefused, and ExemptionRefused.
    """
    remedy = _offered(conflict, way, Kind.EXEMPTIONS)
    wanted = _wanted_exemptions(conflict, remedy)
    if not wanted:
        raise RemedyRefused("All of it is asked for or granted already.")
    if len(wanted) > MOST_EXEMPTIONS:
        raise RemedyRefused(f"These would be {len(wanted)} exemptions; for so many change the policy.")
    return [
        exemptions.request(
            tenant,
            aside.policy,
            rule_key=aside.key,
            plugin=plugin,
            reason=reason,
            expires_at=expires_at,
            actor=actor,
            at=at,
        )
        for tenant, aside, plugin in wanted
    ]


@transaction.atomic
def draft_hold_change(
    conflict: Conflict, way: Way, *, comment: str, actor: Actor, at: datetime
) -> list[PolicyVersion]:
    """Draft each hold without the tenants touched, or its end where it selects no others.

    Raises RemedyRefused, and ConfigurationError.
    """
    remedy = _offered(conflict, way, Kind.HOLD)
    keys = [tenant.key for tenant in ways_out.touched(conflict)]
    drafts: dict[Policy, dict[str, Any]] = {}
    for aside in remedy.asides:
        if ways_out.selects_others(conflict, aside.policy):
            drafts[aside.policy] = policy_edits.without_tenants(aside.document, keys)
        else:
            drafts[aside.policy] = policy_edits.ended(aside.document, at=at)
    return _save(drafts, comment=comment, actor=actor, at=at)


@transaction.atomic
def draft_variants(
    conflict: Conflict, way: Way, *, comment: str, actor: Actor, at: datetime
) -> list[PolicyVersion]:
    """Draft the rules so that they want, of the tenants touched, what these would have without them.

    Raises RemedyRefused, and ConfigurationError.
    """
    remedy = _offered(conflict, way, Kind.DRAFT)
    outcomes = _outcomes(conflict, way, at=at)
    drafts: dict[Policy, dict[str, Any]] = {}
    for aside in remedy.asides:
        document = drafts.get(aside.policy, aside.document)
        for plugin in _plugins(conflict, aside):
            for version, keys in sorted(_versions(outcomes, plugin).items()):
                document = policy_edits.with_variant(document, aside.key, keys, version)
        drafts[aside.policy] = document
    return _save(drafts, comment=comment, actor=actor, at=at)


def _offered(conflict: Conflict, way: Way, kind: Kind) -> Remedy:
    conflict.refresh_from_db(fields=["status"])
    if conflict.status != Conflict.Status.OPEN:
        raise RemedyRefused(f"The conflict is {conflict.get_status_display().lower()} by now.")
    remedy = way.remedies.get(kind)
    if remedy is None:
        raise RemedyRefused("This way out can't be turned into that.")
    return remedy


def _wanted_exemptions(conflict: Conflict, remedy: Remedy) -> list[tuple[Tenant, Aside, Plugin]]:
    rows = ways_out.asked_for(conflict, remedy.asides)
    asked = set(rows.values_list("tenant", "policy", "rule_key", "plugin"))
    return [
        (tenant, aside, plugin)
        for tenant in ways_out.touched(conflict)
        for aside in remedy.asides
        for plugin in _plugins(conflict, aside)
        if (tenant.pk, aside.policy.pk, aside.key, plugin.pk) not in asked
    ]


def _plugins(conflict: Conflict, aside: Aside) -> list[Plugin]:
    rows = Plugin.objects.filter(group_id=conflict.group_id, name__in=aside.goes)
    return list(rows.order_by("name"))


def _outcomes(conflict: Conflict, way: Way, *, at: datetime) -> dict[Tenant, TenantOutcome]:
    """What each tenant touched would come to by a decision for this way out: they needn't be alike."""
    group = conflict.group
    tenants = ways_out.touched(conflict)
    decided = {conflict.fingerprint: Precedent(frozenset(way.set_aside))}
    inputs = decisions.current_inputs(group, at=at, tenant_ids=[tenant.pk for tenant in tenants])
    found = evaluate_outcomes(inputs, {**standing.precedents(group.pk), **decided})
    for tenant in tenants:
        result = found.get(tenant.pk)
        if result is None or all(one.fingerprint != conflict.fingerprint for one in result.decided):
            raise RemedyRefused(f"The conflict isn't there any more in {tenant}.")
        if result.outcome.unsettled:
            raise RemedyRefused(f"It isn't enough in {tenant}: {result.outcome.unsettled[0].summary}")
    return {tenant: found[tenant.pk] for tenant in tenants}


def _versions(outcomes: Mapping[Tenant, TenantOutcome], plugin: Plugin) -> dict[str, list[str]]:
    """By version of the plugin, the keys of the tenants that would have it."""
    versions: dict[str, list[str]] = defaultdict(list)
    for tenant, result in outcomes.items():
        after = result.situation.component(plugin.pk).installed
        for change in result.outcome.changes:
            after = change.after if change.component == plugin.pk else after
        if after is None:
            raise RemedyRefused(f"{plugin} wouldn't be there in {tenant}, so no version can be wanted of it.")
        versions[after.version].append(tenant.key)
    return versions


def _save(
    drafts: Mapping[Policy, dict[str, Any]], *, comment: str, actor: Actor, at: datetime
) -> list[PolicyVersion]:
    return [
        policies.save_draft(policy.group, document, actor=actor, at=at, comment=comment)
        for policy, document in drafts.items()
    ]
