"""What follows where an upgrade task came to nothing: another task, or the run that plans the tenant anew."""

from __future__ import annotations

from dataclasses import dataclass

from governance.budgets import FAILURES
from governance.models import UpgradeTask

Status = UpgradeTask.Status
_LATE = "A manifest that shows the change after all still settles it."


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What happens next, and the tenant's newest task where there is one after this."""

    says: str
    later: UpgradeTask | None = None

    def __str__(self) -> str:
        if self.later is None:
            return self.says
        return f"{self.says} {self.later}, {self.later.get_status_display().lower()}."


def of(task: UpgradeTask) -> Aftermath | None:
    """What follows by itself after a task that came to nothing; None for any other."""
    if task.status not in FAILURES:
        return None
    others = UpgradeTask.objects.filter(tenant=task.tenant_id, created_at__gt=task.created_at)
    later = others.select_related("plan", "tenant").order_by("created_at", "pk").last()
    if later is not None and later.status != Status.CANCELLED:
        return Aftermath("The tenant has another task since then:", later)
    told = _planned_anew(left_in_peace=later is None)
    return Aftermath(f"{told} {_LATE}" if task.status == Status.VERIFY_FAILED and later is None else told)


def _planned_anew(*, left_in_peace: bool) -> str:
    """See `drafting.draft_tasks`: only the newest task's failure keeps scheduled runs from trying again."""
    if not left_in_peace:
        return "The next run plans it again, as the tenant is by then."
    return (
        "The next run that a person starts plans it again, as the tenant is by then; a scheduled run does so "
        "only once something has changed in the tenant or in what is wanted of it."
    )
