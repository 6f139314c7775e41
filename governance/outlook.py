"""What a run would set going, as far as that can be said before it has looked at anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from governance import maintenance, profiles
from governance.calendars import Freeze
from governance.models import Policy
from governance.models.policy import Mode
from governance.profiles import Settings
from tenants.models import Group

_PAUSED = Policy.Status.PAUSED


@dataclass(frozen=True, slots=True)
class Outlook:
    """The policies in force by what a run lets them do, by name."""

    starts: list[str]  # the plan of these starts by itself
    waits: list[str]  # the plan of these waits for a person
    reminds: list[str]
    observes: list[str]
    holds: list[str]  # orders not to change something
    paused: list[str]
    sync: bool  # whether tenants may be changed at all
    halted: bool
    frozen: Freeze | None  # the freeze that is in force, if one is

    @property
    def acts(self) -> list[str]:
        """Those that make a plan."""
        return [*self.starts, *self.waits]


def of_group(group: Group, *, at: datetime) -> Outlook:
    """What the group's policies in force are set to do."""
    rows = Policy.objects.filter(group=group).in_force().select_related("current").order_by("name")
    policies = [(row, profiles.settings(row.current.profile or {})) for row in rows if row.current]
    active = {
        row.name: said
        for row, said in policies
        if row.status == Policy.Status.ACTIVE and row.kind != Policy.Kind.HOLD
    }
    acting = {name: said for name, said in active.items() if said.mode == Mode.ENFORCE}
    return Outlook(
        starts=[name for name, said in acting.items() if _starts(said)],
        waits=[name for name, said in acting.items() if not _starts(said)],
        reminds=_in(Mode.REMIND, active),
        observes=_in(Mode.OBSERVE, active),
        holds=[row.name for row, _ in policies if row.kind == Policy.Kind.HOLD and row.status != _PAUSED],
        paused=[row.name for row, _ in policies if row.status == _PAUSED],
        sync=group.sync_enabled,
        halted=group.halted_at is not None,
        frozen=maintenance.freeze_at(group, at),
    )


def _in(mode: Mode, policies: Mapping[str, Settings]) -> list[str]:
    return [name for name, said in policies.items() if said.mode == mode]


def _starts(said: Settings) -> bool:
    return said.starts_by_itself and not said.needs_approval
