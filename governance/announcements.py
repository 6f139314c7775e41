"""One event told to several people, each in their own language and by their own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit import outbox
from audit.models import Report
from audit.models.outbox import Destination
from config.shares import percentage
from governance import message_templates
from governance.digests import frame
from governance.messages import texts, wording
from governance.messages.kinds import Kind
from governance.models import Exemption, Notification, Plan, Rollback
from tenants import links, preferences
from tenants.models import Deputy, Group, Preferences, User


@dataclass(frozen=True, slots=True)
class _Event:
    """What is told, and where it leads."""

    group: Group
    kind: Kind
    about: Notification.Kind
    page: links.Page
    tenant: str | None
    key: str


Values = Callable[[Preferences], dict[str, Any]]


def plan_paused(plan: Plan, people: Iterable[User], told: dict[str, int], *, key: str, at: datetime) -> None:
    """A plan has paused by itself; `told`: ring, failed, total, budget."""
    page = links.page(plan.group.slug, "plan_detail", plan.pk)
    event = _Event(plan.group, Kind.ALERT, Notification.Kind.ALERT, page, None, key)
    _announce(event, people, lambda _wishes: {"plan": plan.number, **told}, at=at)


def rolled_back(row: Rollback, people: Iterable[User], *, at: datetime) -> None:
    """Tenants are taken back: what the group wants instead has to be settled."""
    page = links.page(row.group.slug, "rollback_detail", row.number)
    event = _Event(row.group, Kind.ROLLBACK, Notification.Kind.ALERT, page, None, f"rollback-{row.pk}")
    _announce(event, people, lambda wishes: rollback_values(row, wishes), at=at)


def rollback_values(row: Rollback, wishes: Preferences) -> dict[str, Any]:
    """The placeholders of a message about a rollback."""
    ways = {one["policy"]: one.get("way", row.way) for one in row.policies}
    stopped = sorted(name for name, way in ways.items() if way == Rollback.Way.PAUSE)
    return {
        "rollback": row.number,
        "snapshot": row.snapshot_number,
        "plan": row.of_plan.number if row.of_plan else "",
        "tenant_count": len(row.tenants),
        "reason": row.reason,
        "policies": [{"name": name} for name in sorted(ways)],
        "paused": bool(ways) and set(ways.values()) == {Rollback.Way.PAUSE},
        "stopped": wording.joined(stopped, wishes.language),
        "exempt": wording.joined(sorted(set(ways) - set(stopped)), wishes.language),
        "until": wording.moment(row.until, zone=wishes.time_zone, language=wishes.language),
    }


def exemption_changed(exemption: Exemption, people: Iterable[User], *, at: datetime) -> None:
    """An exemption was asked for, decided, or has ended."""
    page = links.page(exemption.group.slug, "exemption_detail", exemption.pk)
    key = f"exemption-{exemption.pk}-{exemption.status}"
    tenant = exemption.tenant.key
    event = _Event(exemption.group, Kind.EXEMPTION, Notification.Kind.EXEMPTION, page, tenant, key)
    _announce(event, people, lambda wishes: exemption_values(exemption, wishes), at=at)


def exemption_values(exemption: Exemption, wishes: Preferences) -> dict[str, Any]:
    """The placeholders of a message about an exemption."""
    language = wishes.language
    return {
        "status": wording.exemption_status(exemption.status, language),
        "tenant": exemption.tenant.key,
        "policy": exemption.policy.name,
        "rule": exemption.rule_key,
        "plugin": exemption.plugin.name if exemption.plugin else "",
        "until": wording.moment(exemption.expires_at, zone=wishes.time_zone, language=language),
        "reason": exemption.reason,
        "asked_by": exemption.requested_by_name,
        "over": exemption.status == Exemption.Status.EXPIRED,
        "decided_by": exemption.decided_by_name,
        "comment": exemption.decision_comment,
    }


def report_ready(report: Report, group: Group, people: Iterable[User], *, key: str, at: datetime) -> None:
    """A compliance report has been frozen."""
    page = links.page(group.slug, "report_detail", report.pk)
    event = _Event(group, Kind.REPORT, Notification.Kind.REPORT, page, None, key)
    values = report_values(report)
    _announce(event, people, lambda _wishes: values, at=at)


def report_values(report: Report) -> dict[str, Any]:
    """The placeholders of a message about a report that is ready."""
    summary = (report.data or {}).get("summary", {})
    return {
        "report": report.number,
        "snapshot": report.snapshot_number,
        "rate": f"{percentage(summary.get('compliance_rate', 0)):g}",
        **{name: summary.get(name, 0) for name in ("tenants", "outstanding", "accepted")},
        "asked_by": report.requested_by if report.requested_by_id else "",
        "digest": report.digest[:16],
    }


def deputy_appointed(row: Deputy, people: Iterable[User], *, at: datetime) -> None:
    """Somebody stands in for somebody else; those of the two are told who didn't say so themselves."""
    page = links.page(row.group.slug, "my_preferences")
    event = _Event(row.group, Kind.DEPUTY, Notification.Kind.DEPUTY, page, None, f"deputy-{row.pk}")
    _announce(event, people, lambda wishes: deputy_values(row, wishes), at=at)


def deputy_ended(row: Deputy, people: Iterable[User], *, by: str, at: datetime) -> None:
    """Somebody stands in no more, earlier than was said; those are told who didn't say so themselves."""
    page = links.page(row.group.slug, "my_preferences")
    key = f"deputy-{row.pk}-ended"
    event = _Event(row.group, Kind.DEPUTY_ENDED, Notification.Kind.DEPUTY, page, None, key)
    _announce(event, people, lambda wishes: deputy_ended_values(row, by, wishes), at=at)


def deputy_values(row: Deputy, wishes: Preferences) -> dict[str, Any]:
    """The placeholders of a message about a deputy."""
    return {**_stands_in(row, wishes), "appointed_by": row.appointed_by_name}


def deputy_ended_values(row: Deputy, by: str, wishes: Preferences) -> dict[str, Any]:
    """The same of one who stands in no more."""
    return {**_stands_in(row, wishes), "ended_by": by}


def _stands_in(row: Deputy, wishes: Preferences) -> dict[str, Any]:
    return {
        "deputy": str(row.deputy),
        "away": str(row.person),
        "first_day": wording.day(row.starts_on, language=wishes.language),
        "last_day": wording.day(row.ends_on, language=wishes.language),
    }


def _announce(event: _Event, people: Iterable[User], values: Values, *, at: datetime) -> None:
    readers = list(people)
    if not readers:
        return
    wishes = preferences.of_people(reader.pk for reader in readers)
    own = message_templates.of_group(event.group.pk, [event.kind])
    recipients = [
        _recipient(event, reader, wishes[reader.pk], own, values(wishes[reader.pk])) for reader in readers
    ]
    payload = {"kind": str(event.about), "recipients": recipients}
    outbox.post(Destination.NOTIFY, payload, group_id=event.group.pk, idempotency_key=event.key, at=at)


def _recipient(
    event: _Event, reader: User, wishes: Preferences, own: message_templates.Own, values: dict[str, Any]
) -> dict[str, Any]:
    language = wishes.language
    link = links.signed(event.page, user_id=reader.pk)
    told = {**frame(event.group, reader, link), **values}
    message = texts.written(event.kind, language, own.get((event.kind, language)), told)
    return {
        "user": reader.username,
        "email": reader.email,
        "language": language,
        "tenant": event.tenant,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "link": link,
    }
