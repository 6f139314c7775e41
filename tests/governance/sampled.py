"""Values for every placeholder of a kind of message."""

from typing import Any

from governance.messages.kinds import Kind, placeholders

_NUMBERS = {
    "count",
    "own",
    "escalated",
    "tenant_count",
    "folded",
    "findings",
    "tenants",
    "overdue",
    "decisions",
}
_MORE = {"waiting_more", "orphans_more", "failed", "total", "budget", "plan", "ring", "rollback", "snapshot"}


def sample(kind: Kind) -> dict[str, Any]:
    """Something in each, so that every condition of a template holds."""
    return {name: _value(name, told) for name, told in placeholders(kind).items()}


def _value(name: str, told: Any) -> Any:
    if not isinstance(told, str):
        return [{key: _value(key, text) for key, text in told.items()} for _ in range(2)]
    if name in _NUMBERS | _MORE:
        return 1234
    if name in {"summary", "paused"}:
        return True
    return "https://plumbline.example/to/x/" if name in {"link", "inbox"} else f"some {name} & <more>"
