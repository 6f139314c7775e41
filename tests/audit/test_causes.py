"""What keeps a message from getting through, told apart."""

from __future__ import annotations

import errno
import smtplib
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import causes
from audit.models.outbox import Cause

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REQUEST = httpx.Request("POST", "https://receiver.example/")


def answer(status: int, text: str = "", off: timedelta = timedelta()) -> httpx.Response:
    headers = {"date": format_datetime(NOW + off, usegmt=True)}
    return httpx.Response(status, text=text, headers=headers, request=REQUEST)


def of_status(status: int, text: str = "", off: timedelta = timedelta()) -> Cause:
    response = answer(status, text, off)
    failure = httpx.HTTPStatusError("no", request=REQUEST, response=response)
    return causes.of_failure(failure, now=NOW)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.REFUSED),
        (401, Cause.REFUSED),
        (404, Cause.REFUSED),
        (408, Cause.AWAY),
        (429, Cause.FULL),
        (500, Cause.FAULT),
        (502, Cause.AWAY),
        (503, Cause.AWAY),
        (507, Cause.FULL),
        (301, Cause.FAULT),
    ],
)
def test_an_answer_is_understood_by_its_status(status: int, cause: Cause) -> None:
    assert of_status(status) is cause


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (httpx.ConnectError("refused"), Cause.AWAY),
        (httpx.ReadTimeout("slow"), Cause.AWAY),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Cause.AWAY),
        (socket.gaierror(-2, "unknown name"), Cause.AWAY),
        (smtplib.SMTPServerDisconnected("gone"), Cause.AWAY),
        (smtplib.SMTPResponseException(452, "no room"), Cause.FULL),
        (smtplib.SMTPResponseException(550, "no such user"), Cause.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (552, b"mailbox full")}), Cause.FULL),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"unknown")}), Cause.REFUSED),
        (OSError(errno.ENOSPC, "no space left"), Cause.FULL),
        (ValueError("what"), Cause.FAULT),
    ],
)
def test_a_failure_is_understood_by_its_kind(failure: Exception, cause: Cause) -> None:
    assert causes.of_failure(failure, now=NOW) is cause


@given(seconds=st.integers(-86_400, 86_400), status=st.sampled_from([400, 401, 403, 422]))
def test_a_refusal_is_the_clocks_fault_just_where_they_are_far_apart(seconds: int, status: int) -> None:
    off = timedelta(seconds=seconds)
    far = abs(off) > causes.CLOCK_TOLERANCE
    assert of_status(status, off=off) is (Cause.CLOCK if far else Cause.REFUSED)
    assert bool(causes.note(answer(status, off=off), now=NOW)) is far


@pytest.mark.parametrize("status", [404, 409, 410])
def test_an_unknown_name_has_nothing_to_do_with_clocks(status: int) -> None:
    assert of_status(status, "timestamp too old", timedelta(hours=1)) is Cause.REFUSED


def test_a_receiver_that_says_so_itself_is_believed() -> None:
    assert of_status(400, '{"detail": "Message timestamp too old"}') is Cause.CLOCK


def test_the_difference_is_told_in_minutes_and_by_its_side() -> None:
    assert causes.note(answer(401, off=-timedelta(minutes=12)), now=NOW) == (
        " (its clock is 12 minutes behind this machine’s)"
    )
    assert "ahead of" in causes.note(answer(401, off=timedelta(minutes=7)), now=NOW)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 02 Mar 2026 09:00:00 -0000"])
def test_a_date_that_says_nothing_is_no_difference(date: str) -> None:
    response = httpx.Response(401, headers={"date": date}, request=REQUEST)
    assert causes.of_answer(response, now=NOW) is Cause.REFUSED
