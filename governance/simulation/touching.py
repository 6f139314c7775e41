"""Which tenants a supposition can concern at all: only these have to be decided about twice.

What is decided about a tenant depends on what it runs, the catalogue, recorded decisions, the rules that bind
it and its exemptions. Where the first three are the same before and after, and no rule or exemption of the
tenant is another, so is the decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from governance.models import Exemption, SelectionTenant, UpgradeTask
from governance.simulation.supposition import Supposition
from governance.simulation.weighing import Scene


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds: the digest of each rule with its selection, and the tenant of each exemption."""

    rules: Mapping[tuple[str, ...], int]
    exemptions: Mapping[Any, int]


def binding(scene: Scene) -> Binding:
    """What binds the tenants now, inside a supposition or outside."""
    with connection.cursor() as cursor:
        cursor.execute(_RULES, {"rules": scene.rule_ids()})
        rules = {tuple(map(str, content)): selection for selection, *content in cursor.fetchall()}
    rows = Exemption.objects.filter(group=scene.group).in_force(scene.at)
    return Binding(rules, dict(rows.values_list("pk", "tenant_id")))


def touched(before: Binding, after: Binding) -> frozenset[int]:
    """The tenants that something binds otherwise; a rule that is for others now binds the rest as before."""
    contents = {content for content, _ in before.rules.items() ^ after.rules.items()}
    pairs = [(before.rules.get(content), after.rules.get(content)) for content in contents]
    members = _members({selection for pair in pairs for selection in pair if selection is not None})
    chosen = (members.get(then, set()) ^ members.get(now, set()) for then, now in pairs)
    exempt = {tenant for _, tenant in before.exemptions.items() ^ after.exemptions.items()}
    return frozenset(exempt).union(*chosen)


def planned(scene: Scene, what: Supposition) -> frozenset[int]:
    """The tenants of a plan that is supposed to be carried out."""
    if what.plan is None:
        return frozenset()
    tasks = UpgradeTask.objects.filter(group=scene.group, plan__number=what.plan)
    return frozenset(tasks.values_list("tenant_id", flat=True))


def _members(selections: Collection[int]) -> Mapping[int | None, set[int]]:
    found: dict[int | None, set[int]] = defaultdict(set)
    rows = SelectionTenant.objects.filter(selection_id__in=selections)
    for selection, tenant in rows.values_list("selection_id", "tenant_id"):
        found[selection].add(tenant)
    return found


# Everything of a rule that a decision goes by, but for its id: a policy's new version gives its rules new ids
# even where they stay as they were. Whether a rule acts counts too.
_RULES = """
SELECT r.selection_id, p.name, r.key, r.variant, md5(concat_ws('|', r.kind, r.plugins, r.spec, r.targets,
    r.weight, extract(epoch FROM r.effective_until), v.profile ->> 'prefer', r.mode, p.status)),
    (SELECT coalesce(md5(string_agg(release_id::text, ',' ORDER BY release_id)), '')
     FROM governance_violation WHERE rule_id = r.id)
FROM governance_rule r
JOIN governance_policy p ON p.id = r.policy_id
JOIN governance_policyversion v ON v.id = r.version_id
WHERE r.id = ANY (%(rules)s::bigint[])
"""
