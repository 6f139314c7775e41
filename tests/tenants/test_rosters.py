"""What a source's roster changes, decided by pure functions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenants.ldap.mapping import same_dn
from tenants.models import Role
from tenants.rosters import Grant, differ, shrinks_much

GRANTS = st.sets(st.builds(Grant, person=st.sampled_from("abc"), policy=st.sampled_from("xyz")), max_size=9)


@given(GRANTS, GRANTS)
def test_giving_and_taking_makes_what_is_wanted_of_what_there_is(
    have: set[Grant], wanted: set[Grant]
) -> None:
    added, taken = differ(have, wanted)
    assert (have | set(added)) - set(taken) == wanted
    assert not set(added) & have
    assert set(taken) <= have


@given(GRANTS)
def test_losing_everybody_is_never_taken_for_meant_where_there_was_more_than_one(have: set[Grant]) -> None:
    assert shrinks_much(have, have) == (len(have) > 1)
    assert not shrinks_much(have, set())


def test_a_few_may_leave_at_once_and_not_most_of_many() -> None:
    have = [Grant(str(number), Role.AUDITOR) for number in range(10)]
    assert not shrinks_much(have, have[:5])
    assert shrinks_much(have, have[:6])
    assert not shrinks_much(have[:4], have[:3])


def test_names_of_entries_are_equal_however_they_are_written() -> None:
    assert same_dn("UID=Ann, ou=People,dc=example") == same_dn("uid=ann,OU=people,DC=Example")
    assert same_dn("uid=ann,dc=example") != same_dn("uid=ben,dc=example")
    assert same_dn("no name at all") == same_dn("No Name At All")
