"""Standard Webhooks signatures of what comes in: any of several secrets, and a window against replays.

The library signs; its verification is not used, since it knows one secret only, reads the clock itself, and
fails on a header that isn't well-formed instead of refusing it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

REPLAY_WINDOW = timedelta(minutes=5)  # as the specification's own libraries have it
LONGEST_STAMP = 12  # digits; more is no time that a datetime can hold


class SignatureRefused(Exception):
    """A message that nobody signed who may, or that is from another time; the text says which."""


def verify(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], at: datetime) -> None:
    """Check that one of the secrets signed the body, not long ago. Raises SignatureRefused.

    `headers` by lower-case name. A message may carry several signatures, as it does while its sender rotates.
    """
    named = {name: headers.get(f"webhook-{name}", "").strip() for name in ("id", "timestamp", "signature")}
    missing = [f"webhook-{name}" for name, value in named.items() if not value]
    if missing:
        raise SignatureRefused(f"The headers {', '.join(missing)} must be given.")
    stamp = _stamp(named["timestamp"])
    _refuse_other_times(stamp, at)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise SignatureRefused("The body must be UTF-8.") from None
    if not named["id"].isascii():
        raise SignatureRefused("The header webhook-id must be ASCII.")
    given = [signature.encode(errors="replace") for signature in named["signature"].split()]
    for secret in secrets:
        expected = Webhook(secret).sign(named["id"], stamp, text).encode()
        if any(hmac.compare_digest(expected, signature) for signature in given):
            return
    raise SignatureRefused("No signature in webhook-signature is by a secret that is accepted here.")


def _stamp(text: str) -> datetime:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_STAMP):
        raise SignatureRefused("The header webhook-timestamp must be whole seconds since 1970.")
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise SignatureRefused("The header webhook-timestamp is no time.") from None


def _refuse_other_times(stamp: datetime, at: datetime) -> None:
    off = stamp - at
    if abs(off) <= REPLAY_WINDOW:
        return
    minutes = abs(off) // timedelta(minutes=1)
    window = REPLAY_WINDOW // timedelta(minutes=1)
    side = "ahead of" if off > timedelta() else "behind"
    raise SignatureRefused(
        f"The webhook-timestamp is {minutes} minutes {side} this clock; "
        f"up to {window} are accepted. It is a replay, or one of the two clocks is wrong."
    )
