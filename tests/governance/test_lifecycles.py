"""Whatever has a table of transitions moves along it and nowhere else, in whatever order it is asked to."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from config.lifecycle import TransitionError, advance
from governance.views.help import LIFECYCLES
from tests.governance.furnished import Furnished


def as_stored(row: models.Model) -> dict[str, Any]:
    return type(row)._default_manager.filter(pk=row.pk).values().get()


@pytest.mark.parametrize("model", LIFECYCLES, ids=lambda model: model.__name__)
def test_every_sequence_of_attempts_follows_the_table_and_a_refusal_changes_nothing(
    house: Furnished, model: type[models.Model]
) -> None:
    transitions: Any = model.TRANSITIONS  # type: ignore[attr-defined]

    @given(st.lists(st.sampled_from(sorted(transitions)), min_size=1, max_size=12))
    @settings(max_examples=15, deadline=None)
    def attempt(states: list[str]) -> None:
        with transaction.atomic():
            row = model._default_manager.order_by("pk")[0]
            for to in states:
                before: Any = as_stored(row)
                if to in transitions[before["status"]]:
                    advance(row, to=to)
                    assert as_stored(row) == {**before, "status": to}
                else:
                    with pytest.raises(TransitionError):
                        advance(row, to=to)
                    assert as_stored(row) == before
            transaction.set_rollback(True)

    attempt()


@pytest.mark.parametrize("model", LIFECYCLES, ids=lambda model: model.__name__)
def test_a_table_names_every_state_and_all_can_be_reached(model: type[models.Model]) -> None:
    transitions: Any = model.TRANSITIONS  # type: ignore[attr-defined]
    field: Any = model._meta.get_field("status")
    assert set(transitions) == {value for value, _ in field.flatchoices}
    reached, waiting = set(), [field.default]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += transitions[state]
    assert reached == set(transitions)
