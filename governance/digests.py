"""One person's digest: what there is to tell, as the templates and the outbound contract take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from governance.messages import texts, wording
from governance.messages.kinds import Kind
from governance.messages.texts import Texts
from governance.models import Notification
from governance.summaries import MOST_NAMED, Summary, Waiting
from governance.telling import Line, Share
from tenants import links
from tenants.models import Group, Preferences, User

LINES = 50  # a mail with more of them isn't read
_KINDS = {
    Kind.DECISION: Notification.Kind.DECISION,
    Kind.ESCALATION: Notification.Kind.ESCALATION,
}


@dataclass(slots=True)
class Digest:
    """What one person is told."""

    user: User
    group: Group
    wishes: Preferences
    share: Share | None = None
    lines: list[Line] = field(default_factory=list)
    summary: Summary | None = None
    urgent: bool = False

    @property
    def kind(self) -> Kind:
        """What matters most in it."""
        if self.summary and self.summary.waiting:
            return Kind.DECISION
        if self.escalated:
            return Kind.ESCALATION
        return Kind.SUMMARY if self.summary else Kind.REMINDER

    @property
    def about(self) -> Notification.Kind:
        """The same, as the inbox tells messages apart."""
        return _KINDS.get(self.kind, Notification.Kind.REMINDER)

    @property
    def findings(self) -> int:
        """How many findings are told to the person one by one, those folded among them."""
        return self.share.findings if self.share else 0

    @property
    def escalated(self) -> int:
        """How many of those are in other people's tenants."""
        return self.share.findings - self.share.own if self.share else 0

    @property
    def folded(self) -> int:
        """How many lines are left out."""
        return self.findings - len(self.lines)

    @property
    def decisions(self) -> int:
        """How many decisions wait."""
        return len(self.summary.waiting) if self.summary else 0

    @property
    def tenant(self) -> str | None:
        """The tenant, where all is about one of the person's own."""
        return self.share.tenant if self.share and not self.summary and not self.escalated else None

    def recipient(self, own: Texts | None, *, key: str, at: datetime) -> dict[str, Any]:
        """The person's part of the outbound contract, from the group's own templates if it has any."""
        link = links.signed(self._page(), user_id=self.user.pk)
        message = texts.written(self.kind, self.wishes.language, own, self.values(link=link, at=at))
        waiting = self.summary.waiting[:LINES] if self.summary else []
        due_at = self.share.due_at if self.share else None
        return {
            "user": self.user.username,
            "email": self.user.email,
            "language": self.wishes.language,
            "tenant": self.tenant,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "link": link,
            "due_at": due_at.isoformat() if due_at else None,
            "lines": [
                *(one.as_json(self.wishes.language) for one in waiting),
                *map(self._line_of_contract, self.lines),
            ],
            "folded": self.folded,
            "urgent": self.urgent,
            "key": key,
        }

    def values(self, *, link: str, at: datetime) -> dict[str, Any]:
        """The placeholders of its templates, all plain."""
        language, zone = self.wishes.language, self.wishes.time_zone
        share = self.share
        return {
            **frame(self.group, self.user, link),
            "tenant": self.tenant or "",
            "count": self.findings,
            "own": share.own if share else 0,
            "escalated": self.escalated,
            "tenant_count": share.tenants if share else 0,
            "due": wording.moment(share.due_at if share else None, zone=zone, language=language),
            "lines": [self._line(line, at) for line in self.lines],
            "folded": self.folded,
            **_summary_values(self.summary, language),
        }

    def _line(self, line: Line, at: datetime) -> dict[str, Any]:
        language = self.wishes.language
        return {
            "tenant": line.tenant,
            "plugin": line.plugin,
            "installed": line.installed or "",
            "wanted": line.target or "",
            "policy": line.policy,
            "due": wording.moment(line.due_at, zone=self.wishes.time_zone, language=language),
            "overdue": line.due_at is not None and line.due_at < at,
            "own": line.own,
            "says": says(line, language),
        }

    def _line_of_contract(self, line: Line) -> dict[str, Any]:
        return {
            "finding": line.finding_id,
            "tenant": line.tenant,
            "plugin": line.plugin,
            "from": line.installed,
            "to": line.target,
            "policy": line.policy,
            "due_at": line.due_at.isoformat() if line.due_at else None,
            "status": line.status,
            "says": says(line, self.wishes.language),
        }

    def _page(self) -> links.Page:
        if self.summary and self.summary.waiting:
            return links.page(self.group.slug, "conflict_list")
        return links.page(self.group.slug, "drift_list")


def says(line: Line, language: str) -> str:
    """Whose turn it is, in words for the tenant's admin."""
    return wording.turn(
        status=line.status,
        mode=line.mode,
        move=_move(line),
        language=language,
    )


def _move(line: Line) -> wording.Move:
    """What becomes of the plugin, as far as that is decided."""
    if line.remove:
        return "remove"
    if line.target is None:
        return ""
    if line.installed is None:
        return "add"
    return "down" if line.falls else "up"


def frame(group: Group, user: User, link: str) -> dict[str, Any]:
    """The placeholders that every message has."""
    inbox = reverse("notification_list", kwargs={"group": group.slug})
    return {
        "group": group.name,
        "person": str(user),
        "link": link,
        "inbox": f"{settings.BASE_URL}{inbox}",
    }


def _summary_values(summary: Summary | None, language: str) -> dict[str, Any]:
    told = summary or Summary([], [])
    return {
        "summary": summary is not None,
        "findings": told.findings,
        "tenants": told.tenants,
        "left_out": told.left_out,
        "overdue": told.overdue,
        "policies": [{"name": name, "findings": count} for name, count in told.policies[:LINES]],
        "decisions": len(told.waiting),
        "waiting": [_waiting(one, language) for one in told.waiting[:MOST_NAMED]],
        "waiting_more": max(len(told.waiting) - MOST_NAMED, 0),
        "orphans": wording.joined(told.orphans, language),
        "orphans_more": told.orphan_count - len(told.orphans),
    }


def _waiting(one: Waiting, language: str) -> dict[str, Any]:
    says = one.says(language)
    return {"plugin": one.plugin, "says": says, "policies": one.policies, "tenants": one.tenants}
