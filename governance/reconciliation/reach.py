"""How far a reconciliation looks back: to all that ever was, or to what may have changed since the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from audit import ledger
from audit.ledger import BEGINNING, Mark
from audit.models import Entry
from governance.models import Exemption, Plan, Reconciliation
from governance.models.plan import NOT_STARTED, UNFINISHED
from tenants.models import Group

_MARGIN = timedelta(hours=1)  # of clocks, and of what was just being written when the last one looked


@dataclass(frozen=True, slots=True)
class Since:
    """What was seen to agree before: the ledger up to its mark, and what was over before that moment.

    `exemptions` were open then: nothing in the row of one says when it came to be over. `reported` is the
    last entry of which it was looked at whether the audit service was sent it: while none is named, none is.
    """

    mark: Mark = BEGINNING
    at: datetime | None = None
    exemptions: frozenset[str] = frozenset()
    reported: int = 0


EVER = Since()


def last_seen(group: Group) -> Since:
    """The last reconciliation that left nothing; all that ever was if there is none."""
    row = Reconciliation.objects.filter(group=group, mark__isnull=False).order_by("-at", "-pk").first()
    if row is None or not row.mark:
        return EVER
    mark = Mark(row.mark["sequence"], row.mark["hash"])
    return Since(
        mark,
        row.at - _MARGIN,
        frozenset(row.mark.get("exemptions", ())),
        row.mark.get("reported", mark.sequence),
    )


def now(group: Group, since: Since) -> Since:
    """Up to where a reconciliation that begins now sees: what comes meanwhile, the next one looks at."""
    ids = Exemption.objects.filter(_OPEN["exemption"], group=group).values_list("pk", flat=True)
    mark = ledger.end(group.pk)
    reported = mark.sequence if settings.AUDIT_URL else since.reported
    return Since(mark, exemptions=frozenset(map(str, ids)), reported=reported)


def as_kept(since: Since) -> dict[str, Any]:
    """What the row of a clean one keeps of it."""
    return {**asdict(since.mark), "exemptions": sorted(since.exemptions), "reported": since.reported}


def within(rows: QuerySet[Any], group: Group, kind: str, since: Since) -> QuerySet[Any]:
    """Those of a kind of record that are open, or were ended or written about since."""
    if since.at is None or kind not in _OPEN:
        return rows
    said = Entry.objects.filter(group_id=group.pk, sequence__gt=since.mark.sequence, subject_kind=kind)
    named = set(said.values_list("subject_id", flat=True))
    if kind == "exemption":
        named |= since.exemptions
    came = Q(**{f"{_CAME[kind]}__gte": since.at}) | Q(**{_CAME[kind]: None})  # one without may be of any time
    return rows.filter(_OPEN[kind] | came | Q(pk__in=named))


# What is open whenever it came; policies are few, and each is looked at.
_OPEN: Mapping[str, Q] = {
    "plan": Q(status__in=[*NOT_STARTED, Plan.Status.RUNNING, Plan.Status.PAUSED]),
    "upgradetask": Q(status__in=UNFINISHED),
    "exemption": Q(status__in=[Exemption.Status.REQUESTED, Exemption.Status.APPROVED]),
    "snapshot": Q(pk__in=[]),
}
# When what is over came to be so, or came at all.
_CAME: Mapping[str, str] = {
    "plan": "finished_at",
    "upgradetask": "finished_at",
    "exemption": "requested_at",
    "snapshot": "sealed_at",
}
