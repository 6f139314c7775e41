"""Why a message doesn't get through, told apart by what a person can do about it."""

from __future__ import annotations

import errno
import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from audit.models.outbox import Cause

CLOCK_TOLERANCE = timedelta(minutes=2)  # apart; a receiver of signed messages takes five at most
_FULL_STATUSES = frozenset(
    {
        HTTPStatus.INSUFFICIENT_STORAGE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,  # more than it has, or allows itself, room for
    }
)
_AWAY_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
# How a message from another time is refused; an unknown name or a conflict has nothing to do with clocks.
_REFUSED_FOR_TIME = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_MAILBOX_FULL = frozenset({452, 552})  # RFC 5321: insufficient storage, storage allocation exceeded
_AWAY_FAILURES = (httpx.TransportError, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError)


def of_failure(failure: Exception, *, now: datetime) -> Cause:
    """What kept a message from getting through, as far as the failure tells."""
    if isinstance(failure, httpx.HTTPStatusError):
        return of_answer(failure.response, now=now)
    if set(_mail_codes(failure)) & _MAILBOX_FULL:
        return Cause.FULL
    if isinstance(failure, OSError) and failure.errno in _NO_ROOM:
        return Cause.FULL
    if isinstance(failure, _AWAY_FAILURES):
        return Cause.AWAY
    if isinstance(failure, smtplib.SMTPException):
        return Cause.REFUSED
    # Refused connections, time-outs and names that nobody knows are OSErrors too.
    return Cause.AWAY if isinstance(failure, OSError) else Cause.FAULT


def of_answer(response: httpx.Response, *, now: datetime) -> Cause:
    """What an answer that is no success means."""
    status = response.status_code
    if status in _FULL_STATUSES:
        return Cause.FULL
    if status in _AWAY_STATUSES:
        return Cause.AWAY
    if not response.is_client_error:
        return Cause.FAULT
    of_time = "timestamp" in response.text.lower() or clock_off(response, now=now)
    return Cause.CLOCK if of_time and status in _REFUSED_FOR_TIME else Cause.REFUSED


def clock_off(response: httpx.Response, *, now: datetime) -> timedelta:
    """By how much the receiver's clock is ahead of this machine's; nothing if they agree or it is silent."""
    try:
        theirs = parsedate_to_datetime(response.headers.get("date", ""))
        off = theirs - now
    except (ValueError, TypeError):
        return timedelta()
    return off if abs(off) > CLOCK_TOLERANCE else timedelta()


def note(response: httpx.Response, *, now: datetime) -> str:
    """What to add to the reason where the clocks differ; else nothing."""
    off = clock_off(response, now=now)
    if not off:
        return ""
    side = "ahead of" if off > timedelta() else "behind"
    return f" (its clock is {round(abs(off) / timedelta(minutes=1))} minutes {side} this machine’s)"


def _mail_codes(failure: Exception) -> Iterator[int]:
    """The SMTP codes in a refusal, of one recipient or of all."""
    if isinstance(failure, smtplib.SMTPResponseException):
        yield failure.smtp_code
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        yield from (code for code, _ in failure.recipients.values())
