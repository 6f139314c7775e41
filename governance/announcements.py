"""One event told to several people, each in their own language and by their own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from audit import outbox
from audit.models.outbox import Destination
from governance import message_templates
from governance.digests import frame
from governance.messages import texts, wording
from governance.messages.kinds import Kind
from governance.models import Exemption, Notification, Plan
from tenants import links, preferences
from tenants.models import Group, Preferences, User

Values = Callable[[Preferences], dict[str, Any]]


def plan_paused(plan: Plan, people: Iterable[User], told: dict[str, int], *, key: str, at: datetime) -> None:
    """A plan has paused by itself; `told`: ring, failed, total, budget."""
    page = links.page(plan.group.slug, "plan_detail", plan.pk)
    values = {"plan": plan.number, **told}
    _announce(
        plan.group,
        people,
        kind=Kind.ALERT,
        about=Notification.Kind.ALERT,
        values=lambda _wishes: values,
        page=page,
        tenant=None,
        key=key,
        at=at,
    )


def exemption_changed(exemption: Exemption, people: Iterable[User], *, at: datetime) -> None:
    """An exemption was asked for, decided, or has ended."""
    page = links.page(exemption.group.slug, "exemption_detail", exemption.pk)
    _announce(
        exemption.group,
        people,
        kind=Kind.EXEMPTION,
        about=Notification.Kind.EXEMPTION,
        values=lambda wishes: exemption_values(exemption, wishes),
        page=page,
        tenant=exemption.tenant.key,
        key=f"exemption-{exemption.pk}-{exemption.status}",
        at=at,
    )


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
        "decided_by": exemption.decided_by_name,
        "comment": exemption.decision_comment,
    }


def _announce(
    group: Group,
    people: Iterable[User],
    *,
    kind: Kind,
    about: Notification.Kind,
    values: Values,
    page: links.Page,
    tenant: str | None,
    key: str,
    at: datetime,
) -> None:
    readers = list(people)
    if not readers:
        return
    wishes = preferences.of_people(reader.pk for reader in readers)
    own = message_templates.of_group(group.pk, [kind])
    recipients = []
    for reader in readers:
        language = wishes[reader.pk].language
        link = links.signed(page, user_id=reader.pk)
        told = {**frame(group, reader, link), **values(wishes[reader.pk])}
        message = texts.written(kind, language, own.get((kind, language)), told)
        recipients.append(
            {
                "user": reader.username,
                "email": reader.email,
                "language": language,
                "tenant": tenant,
                "subject": message.subject,
                "text": message.text,
                "html": message.html,
                "link": link,
            }
        )
    payload = {"kind": str(about), "recipients": recipients}
    outbox.post(Destination.NOTIFY, payload, group_id=group.pk, idempotency_key=key, at=at)
