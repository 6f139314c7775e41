"""Whatever happens in whatever order: one digest a window, no news twice, none lost."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import reminders
from governance.models import Finding, Mention, Plugin, Rule
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import find, policy
from tests.governance.test_reminders import HOUR, sleeps

WINDOW = 3 * HOUR
# What happens to which of three plugins in tenant-a, and how many hours pass before it.
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["find", "mend", "decide", "run", "release"]), st.integers(0, 2)
    ),
    max_size=14,
)


@pytest.fixture
def acme(world: World) -> tuple[World, Rule, list[Plugin]]:
    sleeps(world.tenant_admin, 22, 6)
    rule = policy(world, "core", "remind", window="3h", at_once=[], owners=False)
    return world, rule, [factories.plugin(world.group, f"p{n}", ["2.3.0", "2.4.0"]) for n in range(3)]


def happen(kind: str, rule: Rule, plugin: Plugin, tenant: Any, at: datetime) -> None:
    """Drift comes up, is mended, or comes to need a decision."""
    found = Finding.objects.filter(plugin=plugin, closed_at__isnull=True)
    if kind == "find" and not found.exists():
        find(tenant, plugin, rule, due_at=at + timedelta(days=1), opened_at=at)
    elif kind == "mend":
        found.update(status="resolved", closed_at=at)
    elif kind == "decide":
        found.update(status="needs_decision")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_one_digest_a_window_and_no_news_twice_or_lost(
    acme: tuple[World, Rule, list[Plugin]], rolled_back: Any, events: list[tuple[int, str, int]]
) -> None:
    world, rule, plugins = acme
    sent: dict[int, list[datetime]] = defaultdict(list)

    def note(done: reminders.Round, at: datetime) -> None:
        for user in done.sent:
            sent[user].append(at)

    with rolled_back():
        at = AT
        for hours, kind, number in events:
            at += hours * HOUR
            happen(kind, rule, plugins[number], world.tenant_a, at)
            if kind == "run":
                note(reminders.send(world.group, at=at), at)
            elif kind == "release":
                note(reminders.release(world.group, at=at), at)
        for times in sent.values():
            assert all(6 <= moment.hour < 22 for moment in times)
            assert all(later - earlier >= WINDOW for earlier, later in pairwise(times))
        # Later everything has been told, and is not told again. By then all is late, which is told once too.
        for days in (3, 4):
            note(reminders.send(world.group, at=_noon(at) + timedelta(days=days)), at)
        told = set(Mention.objects.filter(user=world.tenant_admin).values_list("finding", flat=True))
        assert told == set(Finding.objects.open().values_list("pk", flat=True))
        assert reminders.send(world.group, at=_noon(at) + timedelta(days=5)) == reminders.Round()


def _noon(at: datetime) -> datetime:
    return at.replace(hour=12)
