"""Who is reminded when: steps before and after the due date, each told once."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance import escalation, profiles
from governance.escalation import DEFAULT, Audience, Step
from tests.factories import AT

HOURS = st.integers(-400, 400).map(lambda hours: timedelta(hours=hours))
MOMENTS = HOURS.map(lambda hours: AT + hours)
STEPS = st.lists(st.builds(Step, st.sampled_from(Audience), st.none() | HOURS), max_size=6, unique=True)


@given(steps=STEPS, due_at=st.none() | MOMENTS, at=MOMENTS, later=st.integers(0, 500))
def test_what_is_reached_stays_reached(
    steps: list[Step], due_at: datetime | None, at: datetime, later: int
) -> None:
    now = escalation.reached(steps, opened_at=AT, due_at=due_at, at=at)
    then = escalation.reached(steps, opened_at=AT, due_at=due_at, at=at + timedelta(hours=later))
    assert then[: len(now)] == now


@given(steps=STEPS, due_at=st.none() | MOMENTS, hours=st.lists(st.integers(0, 300), max_size=8))
def test_each_step_tells_once_for_a_finding(
    steps: list[Step], due_at: datetime | None, hours: list[int]
) -> None:
    told: list[str] = []
    for hour in sorted(hours):
        at = AT + timedelta(hours=hour)
        known = frozenset(told)
        found = escalation.news(steps, opened_at=AT, due_at=due_at, told=known, told_due_at=due_at, at=at)
        told += [step.key for step in found]
    assert len(told) == len(set(told))


@given(steps=STEPS, due_at=MOMENTS, moved=st.integers(1, 300), at=MOMENTS)
def test_another_due_date_begins_anew(steps: list[Step], due_at: datetime, moved: int, at: datetime) -> None:
    told = frozenset(step.key for step in steps)
    anew = due_at + timedelta(hours=moved)
    found = escalation.news(steps, opened_at=AT, due_at=anew, told=told, told_due_at=due_at, at=at)
    assert found == escalation.reached(steps, opened_at=AT, due_at=anew, at=at)


@given(steps=STEPS, due_at=st.none() | MOMENTS, at=MOMENTS)
def test_the_order_in_which_steps_are_written_changes_nobody_s_turn(
    steps: list[Step], due_at: datetime | None, at: datetime
) -> None:
    forth = escalation.reached(steps, opened_at=AT, due_at=due_at, at=at)
    back = escalation.reached(steps[::-1], opened_at=AT, due_at=due_at, at=at)
    assert set(forth) == set(back)


@given(steps=STEPS)
def test_different_steps_have_different_names(steps: list[Step]) -> None:
    assert len({step.key for step in steps}) == len(steps)


def test_the_usual_steps_go_from_the_tenant_to_the_group() -> None:
    due = AT + timedelta(days=7)

    def told(at: datetime) -> list[str]:
        return [step.tell.value for step in escalation.reached(DEFAULT, opened_at=AT, due_at=due, at=at)]

    assert told(AT) == ["tenant_admins"]
    assert told(due - timedelta(hours=30)) == ["tenant_admins"] * 2
    assert told(due - timedelta(hours=3)) == ["tenant_admins", "tenant_admins", "policy_owners"]
    assert told(due)[-1] == "owners"


def test_without_a_due_date_there_is_nothing_to_escalate() -> None:
    later = AT + timedelta(days=900)
    found = escalation.reached(DEFAULT, opened_at=AT, due_at=None, at=later)
    assert [step.key for step in found] == ["tenant_admins:found"]


def test_a_profile_says_its_own_steps() -> None:
    said = [{"tell": "tenant_admins"}, {"tell": "owners", "before": "12h"}, {"tell": "owners", "after": "2d"}]
    settings = profiles.settings({"notify": {"escalation": said}})
    assert [step.key for step in settings.escalation] == [
        "tenant_admins:found",
        "owners:-43200",
        "owners:+172800",
    ]
    assert [step.words for step in settings.escalation] == [
        "tenant admins at once",
        "owners 12 hours before it",
        "owners 2 days after it",
    ]
    assert profiles.settings({}).escalation == DEFAULT
