"""What people decided, and what waits for them: conflicts and exemptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from governance import conflict_wording
from governance.conflict_wording import Goes
from governance.models import Conflict, ConflictTenant, Exemption
from tenants.models import Group

Document = dict[str, Any]


def conflicts(group: Group, *, since: datetime | None, at: datetime) -> list[Document]:
    """The conflicts that stand, and those that ended in the period, with what was decided about each."""
    ended = Q(closed_at__gt=since) if since else Q(closed_at__isnull=False)
    rows = Conflict.objects.filter(group=group, found_at__lte=at)
    wanted = rows.filter(~Q(status=Conflict.Status.CLOSED) | ended).select_related("plugin", "run")
    touched: dict[Any, dict[str, Goes]] = {}
    named = ConflictTenant.objects.filter(conflict__in=wanted.values("pk")).order_by("tenant__key")
    for conflict_id, tenant, goes in named.values_list("conflict", "tenant__key", "goes"):
        touched.setdefault(conflict_id, {})[tenant] = goes
    return [
        _conflict(conflict, touched.get(conflict.pk, {})) for conflict in wanted.order_by("found_at", "pk")
    ]


def assessment(conflicts: list[Document]) -> Document | None:
    """What stands in the way of acting: why, in which tenants, and what could be done. None if nothing.

    What touches the most tenants comes first.
    """
    open_ = (conflict for conflict in conflicts if conflict["status"] == Conflict.Status.OPEN)
    waiting = sorted(open_, key=lambda conflict: (-len(conflict["tenants"]), conflict["found_at"]))
    if not waiting:
        return None
    tenants = sorted({tenant for conflict in waiting for tenant in conflict["tenants"]})
    several = len(waiting) != 1
    says = (
        f"{len(waiting)} {'conflicts need' if several else 'conflict needs'} a person’s decision; "
        f"until then nothing is done about what {'they touch' if several else 'it touches'}."
    )
    return {"says": says, "tenants": tenants, "conflicts": waiting}


def exemptions(group: Group, *, since: datetime | None, at: datetime) -> list[Document]:
    """Exemptions in force or asked for, and those that ended in the period, by when they expire."""
    living = Q(status__in=[Exemption.Status.APPROVED, Exemption.Status.REQUESTED])
    expired = Q(status=Exemption.Status.EXPIRED, expires_at__gt=since)
    ended = expired | Q(decided_at__gt=since) if since else ~living
    rows = Exemption.objects.filter(living | ended, group=group, requested_at__lte=at)
    return [
        {
            "tenant": exemption.tenant.key,
            "policy": exemption.policy.name,
            "rule": exemption.rule_key or None,
            "plugin": exemption.plugin.name if exemption.plugin else None,
            "status": exemption.status,
            "reason": exemption.reason,
            "starts_at": exemption.starts_at.isoformat(),
            "expires_at": exemption.expires_at.isoformat(),
            "requested_by": exemption.requested_by_name,
            "decided_by": exemption.decided_by_name or None,
            "comment": exemption.decision_comment,
        }
        for exemption in rows.select_related("tenant", "policy", "plugin").order_by("expires_at", "pk")
    ]


def _conflict(conflict: Conflict, tenants: Mapping[str, Goes]) -> Document:
    decision = None
    if conflict.decided_at:
        decision = {
            "set_aside": conflict.set_aside,
            "reason": conflict.reason,
            "decided_by": conflict.decided_by_name,
            "decided_at": conflict.decided_at.isoformat(),
            "earlier": conflict.decided_earlier,
        }
    return {
        "fingerprint": conflict.fingerprint,
        "status": conflict.status,
        "plugin": conflict.plugin.name,
        "summary": str(conflict),
        "stuck": conflict.stuck,
        "rules": _rules(conflict.explanation),
        "chain": conflict.explanation.get("chain", []),
        "sets": [{"rules": _rules(one), "chain": one["chain"]} for one in conflict.sets],
        "complete": conflict.explanation.get("complete", True),
        "proved": conflict.explanation.get("proved", True),
        "tenants": list(tenants),
        "ways_out": conflict_wording.told(conflict.ways_out, tenants),
        "found_at": conflict.found_at.isoformat(),
        "closed_at": conflict.closed_at.isoformat() if conflict.closed_at else None,
        "run": conflict.run.number if conflict.run else None,
        "decision": decision,
    }


def _rules(told: Mapping[str, Any]) -> list[Document]:
    return [{name: rule.get(name) for name in ("policy", "key", "says")} for rule in told.get("rules", [])]
