"""calendar show, agree, end, freeze, thaw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import typer

from governance import freezing, maintenance, presenters
from governance.cli.output import Output, operator
from governance.forms.windows import WindowForm
from governance.models import MaintenanceWindow
from governance.models.window import DAYS
from tenants.models import Group, Tenant


def show(out: Output, group: Group, *, at: datetime) -> None:
    """The freezes ahead and the windows."""
    rows = MaintenanceWindow.objects.filter(group=group).select_related("tenant")
    document = presenters.calendar(group, rows, at=at)
    freezes = [[one["name"], one["from"], one["until"], one["reason"]] for one in document["freezes"]]
    windows = [[row.pk, row.tenant.key, str(row), row.agreed_by_name] for row in rows.order_by("tenant__key")]

    def tell() -> None:
        out.table("Freezes", ("freeze", "from", "until", "why"), freezes)
        out.table("Maintenance windows", ("number", "tenant", "window", "agreed by"), windows)

    out.answer(document, tell)


def agree(
    out: Output, group: Group, tenant: str, *, days: Sequence[str], hours: str, zone: str, at: datetime
) -> None:
    """Add a window. `hours` is like 22:00-02:00."""
    found = Tenant.objects.filter(group=group, key=tenant).select_related("group").first()
    if found is None:
        raise typer.BadParameter(f"{group} has no tenant {tenant}.")
    starts, _, ends = hours.partition("-")
    form = WindowForm({"days": [_day(day) for day in days], "starts": starts, "ends": ends, "zone": zone})
    if not form.is_valid():
        wrong = "; ".join(f"{name}: {' '.join(map(str, told))}" for name, told in form.errors.items())
        raise typer.BadParameter(wrong)
    row = maintenance.agree(found, **form.cleaned_data, actor=operator(), at=at)
    out.answer(presenters.window(row), lambda: out.say(f"Agreed for {tenant}: {row}."))


def end(out: Output, group: Group, number: int, *, at: datetime) -> None:
    """Take a window away."""
    row = MaintenanceWindow.objects.filter(group=group, pk=number).select_related("tenant").first()
    if row is None:
        raise typer.BadParameter(f"{group} has no window {number}; `calendar show` lists them.")
    document, told = presenters.window(row), f"{row} of {row.tenant} is gone."
    maintenance.end(row, actor=operator(), at=at)
    out.answer(document, lambda: out.say(told))


def freeze(
    out: Output, group: Group, name: str, *, begins: str, ends: str, reason: str, at: datetime
) -> None:
    """Add a freeze, or change the one of that name."""
    new = {"name": name, "from": begins, "until": ends, "reason": reason}
    freezing.freeze(group, new, actor=operator(), at=at)
    out.answer(new, lambda: out.say(f"{group} is frozen from {begins} until {ends}."))


def thaw(out: Output, group: Group, name: str, *, at: datetime) -> None:
    """End a freeze."""
    try:
        freezing.thaw(group, name, actor=operator(), at=at)
    except freezing.NoSuchFreeze as missing:
        raise typer.BadParameter(str(missing)) from missing
    out.answer({"name": name, "ended": True}, lambda: out.say(f"The freeze {name} is gone."))


def _day(text: str) -> str:
    """A day's number by its name, or how that begins."""
    for number, name in enumerate(DAYS):
        if len(text) > 1 and name.lower().startswith(text.lower()):
            return str(number)
    raise typer.BadParameter(f"“{text}” isn’t a day of the week.")
