"""Lengths of time in words."""

from datetime import timedelta

import pytest

from config import durations
from tests.factories import AT


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=59), "1 month"),
        (timedelta(days=800), "2 years"),
        (timedelta(days=-3), "3 days"),
    ],
)
def test_a_span_is_told_in_its_largest_whole_unit(span: timedelta, text: str) -> None:
    assert durations.length(span) == text


def test_the_past_the_present_and_the_future_are_told_apart() -> None:
    assert durations.relative(AT - timedelta(hours=2), AT) == "2 hours ago"
    assert durations.relative(AT + timedelta(seconds=30), AT) == "just now"
    assert durations.relative(AT + timedelta(days=2), AT) == "in 2 days"


def test_what_is_expected_is_never_told_as_past() -> None:
    late = [durations.ahead(AT + timedelta(seconds=s), AT) for s in (-7200, 0, 59)]
    assert late == ["any moment"] * 3
    assert durations.ahead(AT + timedelta(days=2), AT) == "in 2 days"


def test_a_due_date_grows_urgent_as_it_comes_near() -> None:
    assert durations.until(AT - timedelta(hours=3), AT) == "overdue by 3 hours"
    assert durations.until(AT + timedelta(hours=3), AT) == "due in 3 hours"
    dates = (AT - timedelta(1), AT + timedelta(1), AT + timedelta(9))
    assert [durations.urgency(date, AT) for date in dates] == ["due-overdue", "due-soon", "due"]


def test_a_permission_tells_how_long_it_lasts() -> None:
    assert durations.remaining(AT + timedelta(days=9), AT) == "9 days left"
    assert durations.remaining(AT - timedelta(hours=1), AT) == "ended 1 hour ago"
