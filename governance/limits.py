"""How many upgrade tasks may be under way at once: in the group, on one host version, in one region.

Whoever hands over counts under the group's ledger lock, so that the limits hold for all plans and workers
together. A task that a narrow limit keeps lets others go before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.models import Installation, Plan, UpgradeTask
from governance.models.plan import UNDER_WAY
from tenants.models import Group, Tenant

AT_ONCE = 50  # of one group, whatever the profiles say
LOOK_AHEAD = 500  # how far behind tasks that a limit keeps others are looked for
REGION = "region"  # the tenants' label


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan allows; None stands for no limit of its own."""

    at_once: int | None = None
    per_host_version: int | None = None
    per_region: int | None = None

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

    return Limits(least("at_once"), least("per_host_version"), least("per_region"))


def in_the_way(limits: Limits, spot: Spot, load: Load) -> str:
    """Which limit keeps a task at such a place, in words; empty if none does."""
    at_once = AT_ONCE if limits.at_once is None else min(limits.at_once, AT_ONCE)
    checks = (
        (load.total, at_once, "in the group"),
        (load.hosts[spot.host], limits.per_host_version if spot.host else None, f"on host {spot.host}"),
        (load.regions[spot.region], limits.per_region if spot.region else None, f"in region {spot.region}"),
    )
    for under_way, limit, where in checks:
        if limit is not None and under_way >= limit:
            return f"{under_way} task{'' if under_way == 1 else 's'} under way {where}, of at most {limit}"
    return ""


def admitted(group: Group, queue: Any) -> list[UpgradeTask]:
    """The tasks at the head of the queue that may be handed over now; the caller holds the ledger's lock."""
    load = load_of(group)
    free = AT_ONCE - load.total
    if free <= 0:
        return []
    narrow = Plan.objects.filter(group=group, status=Plan.Status.RUNNING).exclude(limits={}).exists()
    head = list(queue[: free + LOOK_AHEAD if narrow else free])
    places = spots(task.tenant_id for task in head)
    found: list[UpgradeTask] = []
    for task in head:
        if not in_the_way(Limits(**task.plan.limits), places[task.tenant_id], load):
            load.add(places[task.tenant_id])
            found.append(task)
    return found


def load_of(group: Group) -> Load:
    """What the group has under way now."""
    rows = UpgradeTask.objects.filter(group=group, status__in=UNDER_WAY)
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
