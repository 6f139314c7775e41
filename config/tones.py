"""Which colour a state has: one table for all nouns, so that a colour means the same on every page."""

from __future__ import annotations

TONES: dict[str, str] = {
    # wants somebody's attention
    "new": "red",
    "failed": "red",
    "verify_failed": "red",
    "rejected": "red",
    "refused": "red",
    "dead": "red",
    "critical": "red",
    "overdue": "red",
    "vulnerable": "red",
    "withdrawn": "red",
    "high": "orange",
    "needs_decision": "purple",
    "open": "purple",
    "requested": "yellow",
    "paused": "yellow",
    "medium": "yellow",
    "stale": "yellow",
    "warning": "yellow",
    "partial": "yellow",
    "expiring": "yellow",
    # is on its way
    "planned": "azure",
    "ready": "azure",
    "proposed": "azure",
    "pending": "azure",
    "waiting": "azure",
    "queued": "azure",
    "low": "azure",
    "in_progress": "blue",
    "running": "blue",
    "started": "blue",
    "executing": "blue",
    "handed_over": "blue",
    "sending": "blue",
    "claimed": "blue",
    "building": "blue",
    "sealed": "blue",
    "verifying": "cyan",
    "awaiting_verification": "cyan",
    "rolling_back": "cyan",
    # is well
    "resolved": "green",
    "active": "green",
    "in_force": "green",
    "approved": "green",
    "decided": "green",
    "succeeded": "green",
    "completed": "green",
    "done": "green",
    "verified": "green",
    "delivered": "green",
    "sent": "green",
    "compliant": "green",
    "enforce": "green",
    # is over, or asks for nothing
    "accepted": "secondary",
    "draft": "secondary",
    "expired": "secondary",
    "revoked": "secondary",
    "cancelled": "secondary",
    "superseded": "secondary",
    "retired": "secondary",
    "archived": "secondary",
    "observe": "secondary",
    "remind": "azure",
}


def tone(state: str) -> str:
    """The colour of a state; grey, which says nothing, for one that the table doesn't know."""
    return TONES.get(state.lower(), "secondary")
