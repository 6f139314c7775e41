"""The kinds of messages, their parts, and the placeholders that each has."""

from __future__ import annotations

from django.db import models

from governance.messages.language import Placeholders


class Kind(models.TextChoices):
    """What a template is for."""

    REMINDER = "reminder", "Reminder to a tenant admin"
    SUMMARY = "summary", "Summary of the group"
    DECISION = "decision", "Decision needed"
    ESCALATION = "escalation", "Escalation"
    ALERT = "alert", "Alert: a plan has paused"
    EXEMPTION = "exemption", "Exemption asked for or decided"
    REPORT = "report", "Report ready"
    DEPUTY = "deputy", "Deputy named"
    DEPUTY_ENDED = "deputy_ended", "Deputy dismissed"
    ROLLBACK = "rollback", "Rollback: reassess what is wanted"


DIGESTS = (Kind.REMINDER, Kind.SUMMARY, Kind.DECISION, Kind.ESCALATION)
PARTS = ("subject", "text", "html")
LONGEST_SUBJECT = 300

_FRAME = {
    "group": "the group’s name",
    "person": "the reader’s name",
    "link": "where the message leads",
    "inbox": "the reader’s messages in the console",
}
_DIGEST: Placeholders = {
    **_FRAME,
    "tenant": "the tenant’s key, if all is about one of the reader’s own",
    "count": "findings told to the reader by name",
    "own": "those of them in tenants that the reader administers",
    "escalated": "those of them that have come to the reader from others",
    "tenant_count": "the tenants that these are in",
    "due": "when the first of them is due",
    "lines": {
        "tenant": "the tenant’s key",
        "plugin": "the plugin",
        "installed": "the version that runs; empty if it is missing",
        "wanted": "the version that is wanted; empty while undecided",
        "policy": "the policy",
        "due": "the due date; empty without one",
        "overdue": "whether that has passed",
        "own": "whether the reader administers the tenant",
        "says": "whose turn it is, in words",
    },
    "folded": "how many findings are left out below the lines",
    "summary": "whether the group’s figures are told",
    "findings": "open findings in the group",
    "left_out": "further open findings: only observed, set aside, or of policies that tell nobody",
    "tenants": "tenants that these are in",
    "overdue": "how many of these are past their due date",
    "policies": {"name": "the policy", "findings": "its open findings"},
    "decisions": "decisions that the group has to make",
    "waiting": {
        "plugin": "the plugin",
        "says": "the conflict in words",
        "policies": "the policies in conflict",
        "tenants": "tenants touched",
    },
    "waiting_more": "decisions left out",
    "orphans": "tenants in drift without anyone to tell, by key",
    "orphans_more": "such tenants left out",
}
_ALERT: Placeholders = {
    **_FRAME,
    "plan": "the plan’s number",
    "ring": "the ring’s number",
    "failed": "tasks that failed",
    "total": "tasks in the ring",
    "budget": "how many percent may fail",
}
_EXEMPTION: Placeholders = {
    **_FRAME,
    "status": "requested, approved, rejected, revoked or expired",
    "tenant": "the tenant’s key",
    "policy": "the policy",
    "rule": "the rule; empty for all",
    "plugin": "the plugin; empty for all",
    "until": "when it ends",
    "reason": "why it was asked for",
    "asked_by": "who asked",
    "over": "whether its time is over",
    "decided_by": "who decided; empty while nobody has",
    "comment": "what they said",
}
_ROLLBACK: Placeholders = {
    **_FRAME,
    "rollback": "the rollback’s number",
    "snapshot": "the snapshot that is gone back to",
    "plan": "the plan that is undone; empty if it was a snapshot’s choice",
    "tenant_count": "the tenants that go back",
    "reason": "why",
    "policies": {"name": "a policy that gives way"},
    "paused": "whether all of these are paused",
    "stopped": "those of them that are paused; empty if none is",
    "exempt": "those of them that leave the tenants exempt; empty if none does",
    "until": "until when they do",
}
_REPORT: Placeholders = {
    **_FRAME,
    "report": "the report’s number",
    "snapshot": "the snapshot that it speaks of",
    "rate": "how many percent of the tenants are in line, rounded down",
    "tenants": "the group’s tenants",
    "outstanding": "findings that are outstanding",
    "accepted": "findings that an exemption covers",
    "asked_by": "who asked for it; empty if it was made on schedule",
    "digest": "the beginning of its checksum",
}
_STANDS_IN: Placeholders = {
    **_FRAME,
    "deputy": "who stands in",
    "away": "who is stood in for",
    "first_day": "from when on",
    "last_day": "until when, that day included",
}
_DEPUTY: Placeholders = {**_STANDS_IN, "appointed_by": "who named them"}
_DEPUTY_ENDED: Placeholders = {**_STANDS_IN, "ended_by": "who ended it"}


def placeholders(kind: str) -> Placeholders:
    """What a template of the kind may name."""
    others = {
        Kind.ALERT: _ALERT,
        Kind.EXEMPTION: _EXEMPTION,
        Kind.REPORT: _REPORT,
        Kind.DEPUTY: _DEPUTY,
        Kind.DEPUTY_ENDED: _DEPUTY_ENDED,
        Kind.ROLLBACK: _ROLLBACK,
    }
    return others.get(Kind(kind), _DIGEST)
