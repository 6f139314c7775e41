"""What policies would do, but not by the plan that applying it drafts: the rest follows in later plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from governance import drafting, rollouts
from governance.simulation.judging import Judgement, Judgements, Names
from governance.simulation.supposition import Supposition
from governance.simulation.weighing import Scene


def busy_tenants(scene: Scene, what: Supposition) -> frozenset[int]:
    """The tenants that no plan would take up, since a task is under way that the supposition doesn't end."""
    if scene.snapshot is not None:
        return frozenset()
    return drafting.busy_tenants(scene.group.pk, ending=[*what.retired, *what.paused])


def told(scene: Scene, judgements: Judgements, busy: Collection[int], names: Names) -> dict[str, Any]:
    """`under_way`: the tenants whose task has to end first; `limits`: how many tenants a plan takes up.

    Within the supposition, whose policies' profiles say so. Which tenants come first is told by the plan.
    """
    acting = {tenant: one for tenant, one in judgements.items() if one.actions}
    free = [one for tenant, one in acting.items() if tenant not in busy]
    wanted = Counter(policy for one in free for policy in _policies(one))
    limits = rollouts.limits(scene.group, wanted.keys())
    return {
        "under_way": sorted(names.tenants[tenant] for tenant in acting if tenant in busy),
        "limits": [
            {"policy": name, "tasks_per_plan": limit, "tenants": wanted[name]}
            for name, limit in sorted(limits.items())
            if wanted[name] > limit
        ],
    }


def in_words(later: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    if under_way := later.get("under_way"):
        of = f"Tenants with a task under way, {len(under_way):,} of these,"
        yield f"{of} are taken up by a plan once that has ended."
    for one in later.get("limits", ()):
        of = f"{one['tasks_per_plan']:,} of its {one['tenants']:,} tenants"
        yield f"{one['policy']} lets a plan take up {of}; the others follow in later plans."


def _policies(judgement: Judgement) -> set[str]:
    return {policy for change in judgement.actions for policy, _ in change.rules}
