"""How many upgrade tasks may be under way at once: in the group, on one host version, in one region.

Whoever hands over counts under the group's ledger lock, so that the limits hold for all plans and workers
together. A task that a narrow limit keeps lets others go before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from governance.models import Installation, Plan, UpgradeTask
from governance.models.plan import UNDER_WAY
from tenants.models import Group, Tenant

AT_ONCE = 50  # of one group, where a profile says nothing else
LOOK_AHEAD = 500  # how far behind tasks that a limit keeps others are looked for
REGION = "region"  # the tenants' label


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan allows; None stands for no limit of its own."""

    at_once: int | None = None
    per_host_version: int | None = None
    per_region: int | None = None

    @property
    def most(self) -> int:
        """How many of the whole group may be under way for another one to go."""
        return AT_ONCE if self.at_once is None else self.at_once

    @property
    def by_place(self) -> bool:
        """Whether it matters where what is under way is carried out."""
        return self.per_host_version is not None or self.per_region is not None

    def as_json(self) -> dict[str, int]:
        """As the plan keeps it."""
        named = {
            "at_once": self.at_once,
            "per_host_version": self.per_host_version,
            "per_region": self.per_region,
        }
        return {name: limit for name, limit in named.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a task is carried out. An empty text stands for unknown, which no limit is about."""

    host: str = ""
    region: str = ""


NOWHERE = Spot()


@dataclass(slots=True)
class Load:
    """What is under way in a group."""

    total: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)

    def add(self, spot: Spot) -> None:
        """Count one more."""
        self.total += 1
        self.hosts[spot.host] += 1
        self.regions[spot.region] += 1


def strictest(said: Iterable[Limits]) -> Limits:
    """The limits that satisfy all of these."""
    given = list(said)

    def least(name: str) -> int | None:
        return min((limit for each in given if (limit := getattr(each, name)) is not None), default=None)

    named = any(each.at_once is not None for each in given)
    at_once = min(each.most for each in given) if named else None
    return Limits(at_once, least("per_host_version"), least("per_region"))


def in_the_way(limits: Limits, spot: Spot, load: Load) -> str:
    """Which limit keeps a task at such a place, in words; empty if none does."""
    checks = (
        (load.total, limits.most, "in the group"),
        (load.hosts[spot.host], limits.per_host_version if spot.host else None, f"on host {spot.host}"),
        (load.regions[spot.region], limits.per_region if spot.region else None, f"in region {spot.region}"),
    )
    for under_way, limit, where in checks:
        if limit is not None and under_way >= limit:
            return f"{under_way} task{'' if under_way == 1 else 's'} under way {where}, of at most {limit}"
    return ""


def admitted(group: Group, queue: Any) -> list[UpgradeTask]:
    """The tasks at the head of the queue that may be handed over now; the caller holds the ledger's lock.

    Where each is carried out is looked up only where a plan says how many may be in one place.
    """
    running = Plan.objects.filter(group=group, status=Plan.Status.RUNNING).order_by()
    allowed = [Limits(**said) for said in running.values_list("limits", flat=True)]
    by_place = any(limits.by_place for limits in allowed)
    load = load_of(group) if by_place else Load(_under_way(group).count())
    free = max((limits.most for limits in allowed), default=0) - load.total
    if free <= 0:
        return []
    narrow = by_place or len({limits.most for limits in allowed}) > 1  # some let others go before them
    head = list(queue[: free + LOOK_AHEAD if narrow else free])
    places = spots(task.tenant_id for task in head) if by_place else {}
    found: list[UpgradeTask] = []
    for task in head:
        spot = places.get(task.tenant_id, NOWHERE)
        if not in_the_way(Limits(**task.plan.limits), spot, load):
            load.add(spot)
            found.append(task)
    return found


def _under_way(group: Group) -> QuerySet[UpgradeTask]:
    return UpgradeTask.objects.filter(group=group, status__in=UNDER_WAY)


def load_of(group: Group) -> Load:
    """What the group has under way now."""
    rows = _under_way(group)
    tenants = list(rows.values_list("tenant_id", flat=True))
    places, load = spots(tenants), Load()
    for tenant_id in tenants:
        load.add(places[tenant_id])
    return load


def spots(tenant_ids: Iterable[int]) -> Mapping[int, Spot]:
    """Host version and region of each of these tenants."""
    given = list(tenant_ids)
    installed = Installation.objects.current().filter(tenant_id__in=given, plugin__is_host=True)
    hosts = dict(installed.values_list("tenant_id", "release__version"))
    labels = Tenant.objects.filter(pk__in=given).values_list("pk", "labels")
    return {pk: Spot(hosts.get(pk, ""), str(said.get(REGION, ""))) for pk, said in labels}
