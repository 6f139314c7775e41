"""The ways out of a conflict as they are offered: what each could be turned into, beside a decision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Max, Q, QuerySet

from governance import conflict_wording, policy_documents, policy_edits
from governance.models import Conflict, Exemption, Policy, PolicyVersion, SelectionTenant
from governance.models.rule import RuleKind
from governance.resolution import Rule
from tenants.models import Tenant

_LIVE = (Exemption.Status.REQUESTED, Exemption.Status.APPROVED)
_SHOWN_TENANTS = 10


class Kind(StrEnum):
    """What a way out can be turned into."""

    EXEMPTIONS = "exemptions"
    HOLD = "hold"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Aside:
    """A rule that a way out sets aside, with its policy in force and the plugins concerned.

    `gone` are those of the plugins that wouldn't be there in some tenant. `text` is what a change of the
    policy begins with: its text in force, or the draft that is to follow it.
    """

    policy: Policy
    key: str
    kind: str
    plugins: tuple[str, ...]
    gone: frozenset[str]
    text: PolicyVersion

    @property
    def document(self) -> dict[str, Any]:
        """That text, with nothing in it that counts from when it was written."""
        return policy_edits.pinned(self.text.document, at=self.text.created_at)

    def __str__(self) -> str:
        return f"{self.policy}/{self.key}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change of one kind. `leaves` names the way's rules that it can't change, with the reason."""

    kind: Kind
    asides: tuple[Aside, ...]
    leaves: tuple[str, ...]

    @property
    def drafts(self) -> list[PolicyVersion]:
        """The drafts that a change of the policies' texts carries on with, one a policy."""
        drafts = (aside.text for aside in self.asides if aside.text.pk != aside.policy.current_id)
        return list({draft.pk: draft for draft in drafts}.values())


@dataclass(frozen=True, slots=True)
class Way:
    """A way out; `number` counts from 1, `remedies` are those that change one of its rules at least.

    `where` is where it leads, see conflict_wording.told.
    """

    number: int
    says: str
    where: tuple[Mapping[str, Any], ...]
    set_aside: tuple[Rule, ...]
    asides: tuple[Aside, ...]

    @property
    def cases(self) -> list[tuple[str, list[str]]]:
        """Where it leads, in words with the tenants."""
        return conflict_wording.by_words(self.where)

    @property
    def remedies(self) -> dict[str, Remedy]:
        """By kind, what the way can be turned into."""
        found = (_remedy(kind, self.asides) for kind in Kind)
        return {remedy.kind.value: remedy for remedy in found if remedy.asides}


def ways(conflict: Conflict) -> list[Way]:
    """The ways out of a conflict, the lightest first."""
    found = told(conflict)
    names = {rule["policy"] for way in conflict.ways_out for rule in way.get("rules", ())}
    rows = Policy.objects.in_force().filter(group_id=conflict.group_id, name__in=names)
    known = {policy.name: policy for policy in rows.select_related("group", "current")}
    texts = _texts(known.values())
    return [_way(number, way, known, texts) for number, way in enumerate(found, start=1)]


def told(conflict: Conflict) -> list[dict[str, Any]]:
    """The ways out as they are told of all tenants that the conflict touches, see conflict_wording.told."""
    touching = conflict.touched.order_by().values_list("tenant__key", "goes")
    return conflict_wording.told(conflict.ways_out, dict(touching))


def same_way(conflict: Conflict, way: Way) -> Way | None:
    """The way out as it is by now; None where it is offered no longer."""
    found = (one for one in ways(conflict) if one.set_aside == way.set_aside)
    return next(found, None)


def steps(conflict: Conflict, remedy: Remedy) -> Iterator[str]:
    """What asking for exemptions or changing the hold comes to, rule by rule, in words."""
    where = in_words(tenant.key for tenant in touched(conflict))
    for aside in remedy.asides:
        if remedy.kind == Kind.EXEMPTIONS:
            yield f"Exempt from {aside} for {' and '.join(aside.plugins)}: {where}"
        else:
            others = selects_others(conflict, aside.policy)
            change = f"no longer selects {where}" if others else "ends now, since it selects no other tenant"
            yield f"{aside.policy} {change}{_let_go_too(aside)}"


def touched(conflict: Conflict) -> list[Tenant]:
    """The tenants that the conflict touches."""
    return list(Tenant.objects.filter(conflicts__conflict=conflict).order_by("key"))


def selects_others(conflict: Conflict, policy: Policy) -> bool:
    """Whether a policy in force is about tenants that the conflict doesn't touch."""
    selections = policy.rules.filter(version=policy.current).values("selection")
    selected = SelectionTenant.objects.filter(selection__in=selections)
    return selected.exclude(tenant__in=conflict.touched.values("tenant")).exists()


def asked_for(conflict: Conflict, asides: Iterable[Aside]) -> QuerySet[Exemption]:
    """The exemptions of tenants touched from these rules that are asked for or granted."""
    rules = [Q(policy=aside.policy, rule_key__in=["", aside.key]) for aside in asides]
    if not rules:
        return Exemption.objects.none()
    rows = Exemption.objects.filter(reduce(or_, rules), group_id=conflict.group_id, status__in=_LIVE)
    return rows.filter(tenant__in=conflict.touched.values("tenant"))


def drafted(conflict: Conflict) -> QuerySet[Policy]:
    """The policies of the ways out whose newest text isn't in force; `newest` is its number."""
    names = {rule["policy"] for way in conflict.ways_out for rule in way["set_aside"]}
    rows = Policy.objects.in_force().filter(group_id=conflict.group_id, name__in=names)
    return rows.annotate(newest=Max("versions__number")).filter(newest__gt=F("current__number"))


def _texts(policies: Collection[Policy]) -> dict[int, PolicyVersion]:
    """By policy, the text that a change begins with, so that drafts don't lose what others drafted before.

    A newer text that was in force once was taken back, and a change must not bring it again.
    """
    newer = PolicyVersion.objects.filter(policy__in=policies, number__gt=F("policy__current__number"))
    newest = newer.select_related("policy").order_by("policy", "-number").distinct("policy")
    was_in_force = set(newer.filter(rules__isnull=False).values_list("pk", flat=True))
    texts = {policy.pk: policy.current for policy in policies if policy.current is not None}
    return texts | {text.policy_id: text for text in newest if text.pk not in was_in_force}


def _way(
    number: int, way: Mapping[str, Any], known: Mapping[str, Policy], texts: Mapping[int, PolicyVersion]
) -> Way:
    rules = way.get("rules", ())
    gone = frozenset(name for case in way["where"] for name, to in case["to"].items() if to is None)
    asides = (
        Aside(
            known[rule["policy"]],
            rule["key"],
            rule["kind"],
            tuple(plugin["plugin"] for plugin in rule["plugins"]),
            gone,
            texts[known[rule["policy"]].pk],
        )
        for rule in rules
    )
    # Where a policy is in force no longer, the way is stale, and the next evaluation sees it.
    is_whole = all(rule["policy"] in known for rule in rules)
    return Way(
        number=number,
        says=way["says"],
        where=tuple(way["where"]),
        set_aside=tuple((rule["policy"], rule["key"]) for rule in way["set_aside"]),
        asides=tuple(asides) if is_whole else (),
    )


def _remedy(kind: Kind, asides: Iterable[Aside]) -> Remedy:
    obstacles = [(aside, _OBSTACLES[kind](aside)) for aside in asides]
    return Remedy(
        kind,
        tuple(aside for aside, obstacle in obstacles if not obstacle),
        tuple(f"{aside} {obstacle}" for aside, obstacle in obstacles if obstacle),
    )


def _no_exemption(aside: Aside) -> str:
    return "is a hold, which is changed or ended instead" if aside.kind == RuleKind.HOLD else ""


def _no_hold_change(aside: Aside) -> str:
    if aside.kind != RuleKind.HOLD:
        return "is no hold"
    return "" if policy_edits.only_holds(aside.document) else "stands in a policy that wants other things too"


def _no_variant(aside: Aside) -> str:
    try:
        policy_edits.check_variant(aside.document, aside.key)
    except policy_edits.NoVariant as reason:
        return str(reason)
    gone = [plugin for plugin in aside.plugins if plugin in aside.gone]
    return f"is about {gone[0]}, of which no version would be there" if gone else ""


_OBSTACLES: dict[Kind, Callable[[Aside], str]] = {
    Kind.EXEMPTIONS: _no_exemption,
    Kind.HOLD: _no_hold_change,
    Kind.DRAFT: _no_variant,
}


def _let_go_too(aside: Aside) -> str:
    """What else a hold keeps: it is changed for all of its plugins."""
    kept = [rule["plugins"] for rule in policy_documents.rules_of(aside.document)]
    if "*" in kept:
        return "; it keeps every other plugin there too, and lets go of all"
    others = sorted({plugin for plugins in kept for plugin in plugins}.difference(aside.plugins))
    return f"; it keeps {' and '.join(others)} there too, and lets go of all" if others else ""


def in_words(keys: Iterable[str]) -> str:
    """Tenants by their keys, the first of many."""
    return conflict_wording.listed(list(keys), _SHOWN_TENANTS)
