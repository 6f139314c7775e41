"""A moment as somebody reads it: by the clock of where they are, in their language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Clock:
    """A reader's zone, as in the IANA database, and language."""

    zone: str = "UTC"
    language: str = "en"

    def tell(self, when: datetime) -> str:
        """Day and time, with the zone."""
        local = when.astimezone(ZoneInfo(self.zone))
        if self.language == "zh":
            return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}（{self.zone}）"
        return f"{local:%Y-%m-%d %H:%M} ({self.zone})"

    def tell_day(self, when: datetime) -> str:
        """The day alone, as the console has it."""
        local = when.astimezone(ZoneInfo(self.zone))
        return f"{local.day} {local:%b %Y}"
