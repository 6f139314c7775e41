"""What those read of somebody's address who need to know that there is one, and nothing more."""

from __future__ import annotations

_AT = "@"


def address(text: str) -> str:
    """Of a mail address the place alone, whose name is left out; empty where there is none."""
    return f"…{_AT}{text.rpartition(_AT)[2]}" if _AT in text else "…" * bool(text)
