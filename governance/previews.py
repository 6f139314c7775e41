"""What a message would say now: written from what its reader reaches, sent to nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.models import Report
from audit.models.report import ReportStatus
from governance import announcements, reminders, summaries, telling
from governance.budgets import FAILURES
from governance.digests import LINES, Digest, frame
from governance.escalation import Audience, Step
from governance.messages import markup, texts
from governance.messages.kinds import DIGESTS, Kind, placeholders
from governance.messages.texts import Message, Texts
from governance.models import Exemption, Plan, Rollback
from tenants import directory, links
from tenants.models import Deputy, Group, Preferences, User

_MADE_UP = {"status": "approved"}


class NotShown(ValueError):
    """A template whose message can't be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message, and whether what it says is so or made up because there is nothing of the kind yet."""

    message: Message
    real: bool


def preview(
    kind: Kind, wanted: Texts, wishes: Preferences, group: Group, user: User, *, at: datetime
) -> Preview:
    """Write a message from templates without faults, to a person who reaches the whole group.

    Raises NotShown.
    """
    values = _values(kind, wishes, group, user, at)
    real = values is not None
    told = values or {**_sample(kind), **frame(group, user, _link(group, user))}
    try:
        message = texts.write(wanted, told)
    except Exception as failure:  # what templates may do wrong is open-ended
        raise NotShown(str(failure)) from failure
    # What conditions make of whole elements is known only now; the page that shows it must stay whole.
    if found := markup.faults(message.html, links=frozenset({told["link"], told["inbox"]})):
        raise NotShown(f"The HTML comes out broken: {found[0].reason}")
    return Preview(message, real)


def _values(kind: Kind, wishes: Preferences, group: Group, user: User, at: datetime) -> dict[str, Any] | None:
    if kind in DIGESTS:
        return _digest(kind, wishes, group, user, at)
    told = _event(kind, wishes, group)
    return None if told is None else {**frame(group, user, _link(group, user)), **told}


def _event(kind: Kind, wishes: Preferences, group: Group) -> dict[str, Any] | None:
    if kind == Kind.EXEMPTION:
        rows = Exemption.objects.filter(group=group).select_related("tenant", "policy", "plugin")
        exemption = rows.order_by("-requested_at").first()
        return announcements.exemption_values(exemption, wishes) if exemption else None
    if kind == Kind.ROLLBACK:
        back = Rollback.objects.filter(group=group).select_related("of_plan").order_by("-number").first()
        return announcements.rollback_values(back, wishes) if back else None
    if kind in {Kind.DEPUTY, Kind.DEPUTY_ENDED}:
        named = Deputy.objects.filter(group=group).select_related("person", "deputy").order_by("-pk")
        row = named.first()
        return _stood_in(kind, row, wishes) if row else None
    if kind == Kind.REPORT:
        ready = Report.objects.filter(group_id=group.pk, status=ReportStatus.READY).order_by("-number")
        report = ready.first()
        return announcements.report_values(report) if report else None
    plan = Plan.objects.filter(group=group).order_by("-number").first()
    return _plan(plan) if plan else None


def _stood_in(kind: Kind, row: Deputy, wishes: Preferences) -> dict[str, Any]:
    """As if whoever named the deputy ended it now: of one who was dismissed no row is left."""
    if kind == Kind.DEPUTY:
        return announcements.deputy_values(row, wishes)
    return announcements.deputy_ended_values(row, row.appointed_by_name, wishes)


@transaction.atomic
def _digest(kind: Kind, wishes: Preferences, group: Group, user: User, at: datetime) -> dict[str, Any] | None:
    """As if the person administered one tenant, or as if all of it had come up to them."""
    policies = reminders.policies_in_force(group.pk)
    tenants = reminders.tenants_in_drift(group.pk, policies)
    people = replace(directory.told(group.pk, tenants, at=at), policies={}, owners=[user])
    if kind == Kind.REMINDER:
        # Most tenant admins have one tenant; one that has somebody responsible is the likelier to be known.
        some = sorted(people.tenants) or sorted(tenants)
        people = replace(people, tenants={tenant: [user] for tenant in some[:1]})
    if kind == Kind.ESCALATION:
        come_up = (Step(Audience.OWNERS),)
        policies = {pk: (name, replace(said, escalation=come_up)) for pk, (name, said) in policies.items()}
    digest = Digest(user, group, wishes)
    with telling.worked_out(group.pk, policies, people, at=at, only={user.pk}):
        digest.share = telling.shares().get(user.pk)
        digest.lines = dict(telling.lines([user.pk], most=LINES)).get(user.pk, [])
    if kind != Kind.REMINDER:
        told = summaries.summaries(group, policies, people, at=at, only={user.pk})
        digest.summary = next((one for one in told if one.says_something), None)
    if digest.share is None and digest.summary is None:
        return None
    return digest.values(link=_link(group, user), at=at)


def _plan(plan: Plan) -> dict[str, Any]:
    tasks = plan.tasks.filter(ring=0)
    failed = tasks.filter(status__in=FAILURES).count()
    return {
        "plan": plan.number,
        "ring": 1,
        "failed": failed,
        "total": tasks.count(),
        "budget": plan.failure_budget,
    }


def _sample(kind: Kind) -> dict[str, Any]:
    return {name: _made_up(name, told) for name, told in placeholders(kind).items()}


def _made_up(name: str, told: Any) -> Any:
    if not isinstance(told, str):
        return [{key: _made_up(key, text) for key, text in told.items()}]
    return _MADE_UP.get(name, f"[{name}]")


def _link(group: Group, user: User) -> str:
    return links.signed(links.page(group.slug, "drift_list"), user_id=user.pk)
