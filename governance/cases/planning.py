"""Cases of what can be done: tenants under policies, and whether, how cheaply and why not all can be met.

Asked are the verdict, the least number of changes where there is a plan, and all minimal sets of policies
that can't hold together where there is none.

Tenants of which none has to be like another are decided one by one, as evaluation decides them: what breaks a
rule is open, what the decision asks for is opened, and the conflicting sets are those that people are told.
What evaluation doesn't do is answered by `Tenants`. Where several tenants shall run the same version,
evaluation settles on one version before it decides, and doesn't ask which rules would let all agree. Where a
manifest is unsound to begin with, it leaves that as it is, while these cases want it mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance.cases.format import Questions
from governance.cases.world import World
from governance.replaying import Case, Refused
from governance.resolution import (
    Binding,
    Component,
    Outcome,
    Release,
    Rule,
    Sameness,
    Situation,
    Tenants,
    decide,
)
from governance.resolution.conflicts import EVERYTHING
from governance.resolution.ground import Ground

# Whether a release is as wanted; the function gives the rank of any version of the same plugin.
Fits = Callable[[Release, Callable[[str], float]], bool]


@dataclass(frozen=True)
class Wish:
    """One policy of a case: what it wants of a plugin, in one tenant or (None) in all."""

    kind: str
    plugin: str
    tenant: int | None
    fits: Fits | None = None


def at_least(version: str) -> Fits:
    """That version or a newer one."""
    return lambda release, rank: release.rank >= rank(version)


def at_most(version: str) -> Fits:
    """That version or an older one."""
    return lambda release, rank: release.rank <= rank(version)


def between(lowest: str, highest: str) -> Fits:
    """From the one version to the other."""
    return lambda release, rank: rank(lowest) <= release.rank <= rank(highest)


def exactly(version: str) -> Fits:
    """That version, however it is written."""
    return between(version, version)


def none_of(versions: Iterable[str]) -> Fits:
    """Any but these."""
    denied = frozenset(versions)
    return lambda release, _: release.version not in denied


def wish(policy: Mapping[str, Any], host: str) -> Wish:
    """What a policy wants of a kind that all cases write alike; raises Refused for another."""
    plugin, tenant = policy.get("plugin", host), policy.get("tenant")
    match policy["type"]:
        case "deny":
            return Wish("deny", plugin, tenant, none_of(map(str, policy["versions"])))
        case "require":
            return Wish("present", plugin, tenant)
        case "forbid":
            return Wish("absent", plugin, tenant)
        case "hold" | "same" as kind:
            return Wish(kind, plugin, tenant)
        case unknown:
            raise Refused(f"there is no policy “{unknown}”")


@dataclass(frozen=True)
class Planning:
    """A case: only the world's releases exist. `tenants` say what each has, the host included."""

    world: World
    plugins: Sequence[str]
    host: str
    tenants: Sequence[Mapping[str, str]]
    wishes: Sequence[Wish]

    def question(self) -> Tenants:
        """The case as the product sees tenants."""
        situations = tuple(self._situation(place) for place in range(len(self.tenants)))
        same = tuple(self._sameness(rule, wish) for rule, wish in self._rules() if wish.kind == "same")
        return Tenants(situations, same)

    @property
    def rules(self) -> list[Rule]:
        """The policies' names, by their places."""
        return [rule for rule, _ in self._rules()]

    def _rules(self) -> Iterator[tuple[Rule, Wish]]:
        return ((("case", str(place)), wish) for place, wish in enumerate(self.wishes))

    def _situation(self, place: int) -> Situation:
        installed = self.tenants[place]
        bindings = tuple(
            self._binding(rule, wish, installed)
            for rule, wish in self._rules()
            if wish.tenant in (None, place) and wish.kind != "same"
        )
        components = tuple(self._component(plugin, installed) for plugin in (self.host, *self.plugins))
        return Situation(components, bindings, strict=True)

    def _component(self, plugin: str, installed: Mapping[str, str]) -> Component:
        version = installed.get(plugin)
        return Component(
            id=self.world.component(plugin),
            name=plugin,
            installed=None if version is None else self.world.release(plugin, version),
            candidates=self.world.candidates(plugin),
            open=True,
            host=plugin == self.host,
        )

    def _binding(self, rule: Rule, wish: Wish, installed: Mapping[str, str]) -> Binding:
        policy, key = rule
        return Binding(
            policy,
            key,
            wish.kind,
            self.world.component(wish.plugin),
            allowed=self._allowed(wish, installed),
            absence=wish.kind != "present" and not (wish.kind == "hold" and wish.plugin in installed),
            exact=True,
        )

    def _allowed(self, wish: Wish, installed: Mapping[str, str]) -> frozenset[int]:
        releases = self.world.candidates(wish.plugin)

        def rank(version: str) -> float:
            return self.world.rank(wish.plugin, version)

        if wish.kind == "absent":
            return frozenset()
        if wish.kind == "hold":
            return frozenset(r.id for r in releases if r.version == installed.get(wish.plugin))
        return frozenset(r.id for r in releases if wish.fits is None or wish.fits(r, rank))

    def _sameness(self, rule: Rule, wish: Wish) -> Sameness:
        equal: dict[int, set[int]] = {}
        for release in self.world.candidates(wish.plugin):
            equal.setdefault(release.rank, set()).add(release.id)
        return Sameness(rule, self.world.component(wish.plugin), tuple(map(frozenset, equal.values())))


def questions(cases: Iterable[Case], planning: Callable[[Case], Planning]) -> Questions:
    """The questions of a file, each case read by `planning`."""
    asked = [{**case, "expect": _expected(case["expect"])} for case in cases]
    return Questions(asked, lambda case: _answer(planning(case)))


def _expected(expect: Mapping[str, Any]) -> dict[str, Any]:
    if expect["satisfiable"]:
        return {"verdict": True, "cost": expect["min_changes"]}
    return {"verdict": False, "conflicts": sorted(map(sorted, expect["minimal_conflicts"]))}


def _answer(planning: Planning) -> dict[str, Any]:
    tenants = planning.question()
    is_joint = bool(tenants.same) and len(tenants.situations) > 1
    if is_joint or any(Ground(situation).unsound for situation in tenants.situations):
        return _agreed(tenants, planning.rules)
    return _decided([_evaluated(replace(situation, strict=False)) for situation in tenants.situations])


def _evaluated(situation: Situation) -> Outcome:
    """The decision on one tenant, with what it asks for opened."""
    broken = (b for b in situation.bindings if not b.allows(situation.component(b.component).installed))
    opened = {binding.component for binding in broken}
    while True:
        parts = (one if one.id in opened else one.closed for one in situation.components)
        outcome = decide(replace(situation, components=tuple(parts)), EVERYTHING)
        if not outcome.beyond:
            return outcome
        opened |= {one.id for one in situation.components} if outcome.widely else outcome.beyond


def _decided(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    unsettled = [one for outcome in outcomes for one in outcome.unsettled]
    if not unsettled:
        return {"verdict": True, "cost": sum(len(outcome.changes) for outcome in outcomes)}
    told = {frozenset(saying.rule for saying in one.rules) for conflict in unsettled for one in conflict.sets}
    return _refused(one for one in told if not any(other < one for other in told))


def _agreed(tenants: Tenants, rules: Sequence[Rule]) -> dict[str, Any]:
    agreement = tenants.agreement()
    if agreement is not None:
        return {"verdict": True, "cost": sum(map(len, agreement))}
    return _refused(tenants.conflicts(rules))


def _refused(sets: Iterable[frozenset[Rule]]) -> dict[str, Any]:
    return {"verdict": False, "conflicts": sorted(sorted(int(key) for _, key in one) for one in sets)}
