"""How much was brought to people of late, read once for however many readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from governance import pacing
from governance.models import Parcel
from governance.pacing import Because, Rate, Verdict

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
# What went to one reader at one moment went as one message.
_Message = tuple[int, int, datetime]  # group, reader, when


@dataclass(slots=True)
class Sent:
    """The messages that the rates of some readers' channels are reckoned by."""

    people: dict[tuple[str, int], set[_Message]] = field(default_factory=lambda: defaultdict(set))
    channels: dict[str, set[_Message]] = field(default_factory=lambda: defaultdict(set))

    def note(self, channel: str, message: _Message) -> None:
        """One more has gone."""
        self.people[channel, message[1]].add(message)
        self.channels[channel].add(message)

    def verdict(self, channel: str, user_id: int, *, at: datetime) -> Verdict:
        """When one more may go to the reader."""
        rates = (
            (Rate(settings.MESSAGES_PER_PERSON, _HOUR), self.people[channel, user_id]),
            (Rate(settings.MESSAGES_PER_CHANNEL, _MINUTE), self.channels[channel]),
        )
        found = [pacing.within_rate(rate, [moment for _, _, moment in sent], at=at) for rate, sent in rates]
        last = max(found, key=lambda verdict: verdict.at)
        return last if last.because is Because.RATE else Verdict(at)


def sent(channels: Collection[str], user_ids: Collection[int], *, at: datetime) -> Sent:
    """What went by these channels within the last minute, and to these readers within the hour."""
    found = Sent()
    lately = Q(sent_at__gt=at - _MINUTE) | Q(sent_at__gt=at - _HOUR, user__in=user_ids)
    rows = Parcel.objects.filter(lately, channel__in=channels, sent_at__gt=at - _HOUR).order_by()
    for channel, group, user, moment in rows.values_list("channel", "group", "user", "sent_at").distinct():
        if moment is not None:
            found.note(channel, (group, user, moment))
    return found
