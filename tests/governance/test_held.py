"""A task found, held and read in one go."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from governance import held
from governance.models import UpgradeTask
from tests import factories
from tests.factories import World
from tests.governance import rollout

pytestmark = pytest.mark.django_db


@transaction.atomic
def read(task_id: object, *, group_id: int | None = None) -> UpgradeTask | None:
    return held.task(str(task_id), group_id=group_id)


def test_it_is_the_task_as_it_is_stored_and_reads_the_rest_when_asked(world: World) -> None:
    task = rollout.running_task(world)
    UpgradeTask.objects.filter(pk=task.pk).update(earlier_orders=["o-1"], retry_delays=[60], detail="so far")
    stored = UpgradeTask.objects.get(pk=task.pk)

    found = read(task.pk)

    assert found is not None
    assert (found, found.tenant, found.plan) == (stored, stored.tenant, stored.plan)
    assert str(found) == str(stored)
    for field in (*UpgradeTask._meta.concrete_fields, *found.plan._meta.concrete_fields):
        mine, theirs = (found, stored) if field.model is UpgradeTask else (found.plan, stored.plan)
        assert getattr(mine, field.attname) == getattr(theirs, field.attname), field.attname


def test_there_is_none_of_another_group_and_none_of_no_group(world: World) -> None:
    task = rollout.running_task(world)
    other = factories.group("other")

    assert read(task.pk, group_id=world.group.pk) == task
    assert read(task.pk, group_id=other.pk) is None
    assert read(uuid.UUID(int=7)) is None
