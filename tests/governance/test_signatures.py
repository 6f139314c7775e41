"""Who may have signed a message, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from config.env import signing_key
from governance.signatures import REPLAY_WINDOW, SignatureRefused, verify

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD, NEW, OTHER = (signing_key() for _ in range(3))
BODY = '{"order": "o-1"}'
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def signed(secret: str = NEW, *, at: datetime = AT, body: str = BODY, name: str = "m-1") -> dict[str, str]:
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body),
    }


def refusal(headers: dict[str, str], body: bytes = BODY.encode(), *, at: datetime = AT) -> str:
    with pytest.raises(SignatureRefused) as refused:
        verify(body, headers, secrets=[NEW, OLD], at=at)
    return str(refused.value)


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])),
    name=words,
    secret=st.sampled_from([OLD, NEW]),
    off=st.integers(-300, 300),
)
def test_what_either_secret_signed_within_the_window_is_accepted(
    body: str, name: str, secret: str, off: int
) -> None:
    headers = signed(secret, at=AT + timedelta(seconds=off), body=body, name=name)
    verify(body.encode(), headers, secrets=[NEW, OLD], at=AT)


@given(off=st.integers(301, 10**9), sign=st.sampled_from([-1, 1]))
def test_nothing_from_out_of_the_window_is_accepted(off: int, sign: int) -> None:
    stamp = AT + sign * timedelta(seconds=off)
    said = refusal(signed(at=stamp))
    assert f"{off // 60} minutes {'ahead of' if sign > 0 else 'behind'} this clock" in said


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 6))
def test_a_body_with_one_bit_changed_is_not_accepted(position: int, bit: int) -> None:
    changed = bytearray(BODY.encode())
    changed[position] ^= 1 << bit
    assert "No signature" in refusal(signed(), bytes(changed))


@given(headers=st.fixed_dictionaries({name: st.text() for name in signed()}), body=st.binary())
def test_whatever_a_stranger_sends_is_refused_with_a_reason(headers: dict[str, str], body: bytes) -> None:
    assert refusal(headers, body)


@given(signature=st.text(), body=st.binary())
def test_a_right_time_with_any_signature_is_refused(signature: str, body: bytes) -> None:
    assert refusal({**signed(), "webhook-signature": signature}, body)


def test_a_header_of_one_message_does_not_fit_another() -> None:
    for name, value in (("webhook-id", "m-2"), ("webhook-timestamp", str(int(AT.timestamp()) + 1))):
        assert "No signature" in refusal({**signed(), name: value})


def test_one_good_signature_among_others_is_enough() -> None:
    both = f"v1a,AAAA {signed(OTHER)['webhook-signature']} {signed(OLD)['webhook-signature']}"
    verify(BODY.encode(), {**signed(), "webhook-signature": both}, secrets=[OLD], at=AT)


def test_a_secret_that_was_retired_is_accepted_no_more() -> None:
    with pytest.raises(SignatureRefused):
        verify(BODY.encode(), signed(OLD), secrets=[NEW], at=AT)


@pytest.mark.parametrize("name", list(signed()))
def test_each_header_is_needed(name: str) -> None:
    headers = signed()
    del headers[name]
    assert refusal(headers) == f"The headers {name} must be given."


@pytest.mark.parametrize("stamp", ["soon", "-1", "1.5", "²", "9" * 12, "9" * 40])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    assert "webhook-timestamp" in refusal({**signed(), "webhook-timestamp": stamp})


def test_the_window_is_closed_at_its_ends() -> None:
    for at in (AT - REPLAY_WINDOW, AT + REPLAY_WINDOW):
        verify(BODY.encode(), signed(), secrets=[NEW], at=at)
