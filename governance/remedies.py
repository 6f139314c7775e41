"""A way out of a conflict turned into exemptions asked for, a hold changed, a policy varied.

A decision sets the way's rules aside as long as the conflict is the same. These change what made it instead,
each through the door that such a change has anyway, with its permission, its record in the ledger and, for
exemptions, somebody else's approval. Texts are kept as drafts: their impact is looked at before they bind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from django.db import transaction

from audit import ledger
from config.access import Actor
from governance import decisions, exemptions, policies, policy_edits, standing, ways_out
from governance.models import Conflict, Exemption, Plugin, Policy, PolicyVersion
from governance.outcomes import Precedent, TenantOutcome, evaluate_outcomes
from governance.policy_documents import Document
from governance.ways_out import Aside, Kind, Remedy, Way
from tenants.models import Tenant

# Where more are needed, it is the rule that is wrong: nobody reads so many requests.
MOST_EXEMPTIONS = 500

Edit = Callable[[Document], Document]  # of a policy's text


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
        for tenant, aside, plugin in _wanted_exemptions(conflict, remedy)
    ]


@transaction.atomic
def draft(
    conflict: Conflict, way: Way, kind: Kind, *, comment: str, actor: Actor, at: datetime
) -> list[PolicyVersion]:
    """Draft the texts of the way's policies so that the conflict ends.

    A hold lets go of the tenants touched, or ends where it selects no others. Another rule wants of the
    tenants touched what these would have without it. A draft that waits is carried on with.

    Raises RemedyRefused, and ConfigurationError.
    """
    remedy = _offered(conflict, way, kind)
    changes = _let_go(conflict, remedy, at) if kind == Kind.HOLD else _varied(conflict, way, remedy, at)
    drafts: dict[Policy, Document] = {}
    for aside, change in changes:
        drafts[aside.policy] = change(drafts.get(aside.policy, aside.document))
    return [
        policies.save_draft(policy.group, document, actor=actor, at=at, comment=comment)
        for policy, document in drafts.items()
    ]


def steps(conflict: Conflict, way: Way, remedy: Remedy, *, at: datetime) -> list[str]:
    """What the change comes to, in words.

    Raises RemedyRefused where it would be refused: what a variant wants is what evaluation comes to.
    """
    if remedy.kind != Kind.DRAFT:
        return list(ways_out.steps(conflict, remedy))
    outcomes = _outcomes(conflict, way, at=at)
    return [
        f"{aside} wants {plugin} {version} in {ways_out.in_words(keys)}"
        for aside, plugin in _plugins(conflict, remedy)
        for version, keys in sorted(_versions(outcomes, plugin).items())
    ]


def _let_go(conflict: Conflict, remedy: Remedy, at: datetime) -> Iterator[tuple[Aside, Edit]]:
    keys = [tenant.key for tenant in ways_out.touched(conflict)]
    for aside in remedy.asides:
        if ways_out.selects_others(conflict, aside.policy):
            yield aside, partial(policy_edits.without_tenants, keys=keys)
        else:
            yield aside, partial(policy_edits.ended, at=at)


def _varied(conflict: Conflict, way: Way, remedy: Remedy, at: datetime) -> Iterator[tuple[Aside, Edit]]:
    outcomes = _outcomes(conflict, way, at=at)
    for aside, plugin in _plugins(conflict, remedy):
        for version, keys in sorted(_versions(outcomes, plugin).items()):
            yield aside, partial(policy_edits.with_variant, key=aside.key, keys=keys, version=version)


def _offered(conflict: Conflict, way: Way, kind: Kind) -> Remedy:
    """What the way can be turned into by now; who asks at the same time waits, and sees what was done."""
    ledger.hold(conflict.group_id)
    conflict.refresh_from_db(fields=["status", "ways_out"])
    if conflict.status != Conflict.Status.OPEN:
        raise RemedyRefused(f"The conflict is {conflict.get_status_display().lower()} by now.")
    current = ways_out.same_way(conflict, way)
    remedy = current.remedies.get(kind) if current else None
    if remedy is None:
        raise RemedyRefused("This way out can't be turned into that.")
    return remedy


def _wanted_exemptions(conflict: Conflict, remedy: Remedy) -> list[tuple[Tenant, Aside, Plugin]]:
    """What is neither asked for nor granted yet. Raises RemedyRefused where it is nothing, or too much."""
    pairs = _plugins(conflict, remedy)
    wanted = {(aside.policy.pk, aside.key, plugin.pk): (aside, plugin) for aside, plugin in pairs}
    rows = ways_out.asked_for(conflict, remedy.asides)
    known = rows.values_list("tenant", "policy", "rule_key", "plugin")
    asked = {(tenant, policy, key, plugin) for tenant, policy, key, plugin in known}
    asked = {one for one in asked if one[1:] in wanted}
    missing = conflict.touched.count() * len(wanted) - len(asked)
    if not missing:
        raise RemedyRefused("All of it is asked for or granted already.")
    if missing > MOST_EXEMPTIONS:
        raise RemedyRefused(f"These would be {missing} exemptions; for so many change the policy.")
    return [
        (tenant, *wanted[one])
        for tenant in ways_out.touched(conflict)
        for one in wanted
        if (tenant.pk, *one) not in asked
    ]


def _plugins(conflict: Conflict, remedy: Remedy) -> list[tuple[Aside, Plugin]]:
    """The rules of the way, each with every plugin that it is about."""
    names = {name for aside in remedy.asides for name in aside.plugins}
    rows = Plugin.objects.filter(group_id=conflict.group_id, name__in=names).order_by("name")
    return [(aside, plugin) for aside in remedy.asides for plugin in rows if plugin.name in aside.plugins]


def _outcomes(conflict: Conflict, way: Way, *, at: datetime) -> dict[Tenant, TenantOutcome]:
    """What each tenant touched would come to by a decision for this way out: they needn't be alike."""
    group = conflict.group
    tenants = ways_out.touched(conflict)
    decided = {conflict.fingerprint: Precedent(frozenset(way.set_aside))}
    inputs = decisions.current_inputs(group, at=at, tenant_ids=[tenant.pk for tenant in tenants])
    found = evaluate_outcomes(inputs, {**standing.precedents(group.pk), **decided})
    stuck = set(Plugin.objects.filter(group=group, name__in=conflict.stuck).values_list("pk", flat=True))
    for tenant in tenants:
        result = found.get(tenant.pk)
        if result is None or all(one.fingerprint != conflict.fingerprint for one in result.decided):
            raise RemedyRefused(f"The conflict isn't there any more in {tenant}.")
        # What else is stuck there has nothing to do with this way out.
        left = next((one for one in result.outcome.unsettled if not stuck.isdisjoint(one.stuck)), None)
        if left is not None:
            raise RemedyRefused(f"It isn't enough in {tenant}: {left.summary}")
    return {tenant: found[tenant.pk] for tenant in tenants}


def _versions(outcomes: Mapping[Tenant, TenantOutcome], plugin: Plugin) -> dict[str, list[str]]:
    """By version of the plugin, the keys of the tenants that would have it."""
    versions: dict[str, list[str]] = defaultdict(list)
    for tenant, result in outcomes.items():
        after = result.component(plugin.pk).installed
        for change in result.outcome.changes:
            after = change.after if change.component == plugin.pk else after
        if after is None:
            raise RemedyRefused(f"{plugin} wouldn't be there in {tenant}, so no version can be wanted of it.")
        versions[after.version].append(tenant.key)
    return versions
