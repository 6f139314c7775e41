"""Snoozed and acknowledged by finding: whose, how long, and what ends it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from governance import silences
from governance.models import Finding, Silence
from governance.silences import Facts, SilenceRefused
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import DUE, behind

MOMENTS = st.integers(-20, 20).map(lambda days: AT + timedelta(days=days))
FACTS = st.builds(
    Facts,
    due_at=st.none() | MOMENTS,
    severity=st.sampled_from(["high", "low"]),
    target_id=st.none() | st.integers(1, 2),
)


@pytest.fixture
def finding(world: World) -> Finding:
    behind(world, factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"]))
    return Finding.objects.select_related("group", "tenant").get(tenant=world.tenant_a)


def snooze(world: World, finding: Finding, until: datetime, at: datetime = AT) -> Silence:
    actor = world.access(world.tenant_admin).actor
    return silences.snooze(
        finding, user=world.tenant_admin, until=until, reason="On holiday", actor=actor, at=at
    )


def acknowledge(world: World, finding: Finding) -> Silence:
    actor = world.access(world.tenant_admin).actor
    return silences.acknowledge(finding, user=world.tenant_admin, reason="On my list", actor=actor, at=AT)


@given(said_of=FACTS, said_at=MOMENTS, until=st.none() | MOMENTS, at=MOMENTS)
def test_a_silence_never_outlasts_its_own_time(
    said_of: Facts, said_at: datetime, until: datetime | None, at: datetime
) -> None:
    held = silences.holds(said_of=said_of, said_at=said_at, until=until, now=said_of, at=at)
    assert not (held and until is not None and at >= until)


@given(said_of=FACTS, now=FACTS, said_at=MOMENTS, at=MOMENTS)
def test_a_silence_is_kept_about_the_finding_as_it_was_and_no_other(
    said_of: Facts, now: Facts, said_at: datetime, at: datetime
) -> None:
    if silences.holds(said_of=said_of, said_at=said_at, until=None, now=now, at=at):
        assert said_of == now


@given(facts=FACTS, said_at=MOMENTS, days=st.integers(0, 30))
def test_passing_the_due_date_ends_a_silence(facts: Facts, said_at: datetime, days: int) -> None:
    if facts.due_at is not None and said_at < facts.due_at:
        at = facts.due_at + timedelta(days=days)
        assert not silences.holds(said_of=facts, said_at=said_at, until=None, now=facts, at=at)


@given(due_at=st.none() | MOMENTS, at=MOMENTS)
def test_nothing_is_put_off_past_a_due_date_ahead(due_at: datetime | None, at: datetime) -> None:
    last = silences.latest(due_at, at)
    assert last > at
    if due_at is not None and due_at > at:
        assert last == due_at


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said_of=FACTS, now=FACTS, said_at=MOMENTS, until=st.none() | MOMENTS, at=MOMENTS)
def test_the_database_judges_a_silence_as_the_pure_function_does(
    said: Silence,
    rolled_back: Any,
    said_of: Facts,
    now: Facts,
    said_at: datetime,
    until: datetime | None,
    at: datetime,
) -> None:
    with rolled_back():
        Finding.objects.filter(pk=said.finding_id).update(
            due_at=now.due_at, severity=now.severity, target=now.target_id
        )
        Silence.objects.update(
            kind="acknowledged" if until is None else "snoozed",
            until=until,
            said_at=said_at,
            due_at=said_of.due_at,
            severity=said_of.severity,
            target_id=said_of.target_id,
        )
        held = silences.holds(said_of=said_of, said_at=said_at, until=until, now=now, at=at)
        assert Silence.objects.holding(at).exists() == held


@pytest.fixture
def said(world: World, finding: Finding) -> Silence:
    return acknowledge(world, finding)


def test_a_snooze_is_the_persons_own_and_in_the_ledger(world: World, finding: Finding) -> None:
    snooze(world, finding, AT + timedelta(days=2))
    access = world.access(world.tenant_admin)
    assert Silence.objects.within(access).holding(AT).count() == 1
    assert not Silence.objects.within(world.access(world.owner)).exists()
    entry = Entry.objects.get(action="finding.snoozed")
    assert (entry.actor_name, entry.tenant_id) == ("tenant-admin", world.tenant_a.pk)
    assert entry.data["reason"] == "On holiday"


def test_a_snooze_past_the_due_date_is_refused_with_the_last_day_that_is_not(
    world: World, finding: Finding
) -> None:
    with pytest.raises(SilenceRefused, match="2026-03-09 09:00 UTC at most"):
        snooze(world, finding, DUE + timedelta(seconds=1))
    snooze(world, finding, DUE)


def test_what_is_late_already_is_put_off_by_a_few_days_at_most(world: World, finding: Finding) -> None:
    late = DUE + timedelta(days=5)
    snooze(world, finding, late + silences.LATE, at=late)
    with pytest.raises(SilenceRefused):
        snooze(world, finding, late + silences.LATE + timedelta(hours=1), at=late)


def test_a_snooze_that_is_over_before_it_begins_is_refused(world: World, finding: Finding) -> None:
    with pytest.raises(SilenceRefused, match="over already"):
        snooze(world, finding, AT)


def test_what_nobody_is_reminded_of_cannot_be_snoozed(world: World, finding: Finding) -> None:
    finding.status = Finding.Status.ACCEPTED
    with pytest.raises(SilenceRefused, match="exemption"):
        snooze(world, finding, AT + timedelta(days=1))
    finding.status = Finding.Status.SET_ASIDE
    with pytest.raises(SilenceRefused, match="decision"):
        snooze(world, finding, AT + timedelta(days=1))
    finding.closed_at = AT
    with pytest.raises(SilenceRefused, match="closed"):
        acknowledge(world, finding)


def test_the_last_word_counts(world: World, finding: Finding) -> None:
    snooze(world, finding, AT + timedelta(days=2))
    acknowledge(world, finding)
    assert [row.kind for row in Silence.objects.all()] == ["acknowledged"]


def test_a_silence_taken_back_is_gone_and_said_once(world: World, finding: Finding) -> None:
    silence = acknowledge(world, finding)
    for _ in range(2):
        silences.end(silence, actor=world.access(world.tenant_admin).actor, at=AT)
    assert not Silence.objects.exists()
    assert Entry.objects.filter(action="finding.unsilenced").count() == 1


@pytest.mark.parametrize("change", [{"severity": "critical"}, {"target_id": None}, {"due_at": AT}])
def test_another_severity_target_or_due_date_ends_it(change: dict[str, Any]) -> None:
    facts = Facts(DUE, "high", 7)
    told = {"said_of": facts, "said_at": AT, "until": None, "at": AT + timedelta(days=1)}
    assert silences.holds(**told, now=facts)  # type: ignore[arg-type]
    assert not silences.holds(**told, now=replace(facts, **change))  # type: ignore[arg-type]
