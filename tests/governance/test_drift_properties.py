"""Drift found step by step is what looking at everything finds, and both are what the rules mean."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.governance.drift_steps import contests, histories
from tests.governance.drift_worlds import Model, Step, World

pytestmark = pytest.mark.django_db

# Each example takes its own worlds away again, so that one database serves them all.
examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(st.one_of(histories(), contests()))
def test_detection_of_what_changed_equals_that_of_everything_and_finds_what_the_rules_mean(
    steps: list[Step],
) -> None:
    with transaction.atomic():
        little, all_of_it = World("little", in_full=False), World("everything", in_full=True)
        model = Model()
        for step in steps:
            for one in (little, all_of_it, model):
                one.take(step)
            assert little.history() == all_of_it.history(), step
            assert little.open_drift() == model.drift(little.at), step
        transaction.set_rollback(True)
