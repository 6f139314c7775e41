"""What evaluations make of a catalogue is kept for the next ones, for as long as it is right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from governance import stock
from governance.models import Plugin, Release
from governance.stock import Stock, lent
from tests import factories
from tests.factories import AT, World
from tests.governance.aligning import finding, judge, rule


@pytest.fixture(autouse=True)
def _none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "_kept", type(stock._kept)())


@pytest.fixture
def crm(world: World) -> Plugin:
    """At 1.0.0 in tenant-a, which is to have 2.0.0 or newer."""
    made = factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.0.0")])
    return made


def ask(world: World, at: datetime = AT) -> Stock:
    """The stock as one evaluation has it."""
    with lent(world.group.pk, at) as one:
        return one


def test_it_is_the_same_as_long_as_the_catalogue_is(world: World, crm: Plugin) -> None:
    judge(world)  # which notes at the releases that it has compiled what breaks the rules
    first = ask(world)
    factories.install(world.tenant_b, {"crm": "2.0.0"})
    judge(world)
    assert ask(world, AT + timedelta(hours=1)) is first


def withdraw(crm: Plugin) -> None:
    """Take 2.0.0 back."""
    Release.objects.filter(plugin=crm, version="2.0.0").update(withdrawn=True)


def say_otherwise(crm: Plugin) -> None:
    """2.0.0 needs what nobody has."""
    Release.objects.filter(plugin=crm, version="2.0.0").update(requires=[{"plugin": "ghost", "range": ">=1"}])


def forget(crm: Plugin) -> None:
    """Take 2.0.0 out of the catalogue."""
    Release.objects.filter(plugin=crm, version="2.0.0").delete()


@pytest.mark.parametrize("change", [withdraw, say_otherwise, forget])
def test_whatever_changes_in_the_catalogue_is_seen_by_the_next_evaluation(
    world: World, crm: Plugin, change: Callable[[Plugin], None]
) -> None:
    """Even in the same transaction, as here, in which the catalogue was written before."""
    judge(world)
    assert finding(world.tenant_a).target == factories.release(crm, "2.0.0")
    change(crm)
    judge(world)
    assert finding(world.tenant_a).target == factories.release(crm, "3.0.0")


def test_a_plugin_or_a_release_that_comes_by_itself_or_by_time_makes_another_one(
    world: World, crm: Plugin
) -> None:
    seen = [ask(world)]
    factories.plugin(world.group, "erp")
    seen.append(ask(world))
    soon = AT + timedelta(days=1)
    Release.objects.create(group=world.group, plugin=crm, version="4.0.0", rank=4, released_at=soon)
    seen += [ask(world), ask(world, soon)]
    assert len(set(map(id, seen))) == 4


def test_what_was_taken_back_leaves_nothing_in_it(world: World, crm: Plugin) -> None:
    first = ask(world)
    with transaction.atomic():
        withdraw(crm)
        assert ask(world) is not first
        judge(world)
        transaction.set_rollback(True)
    judge(world)
    assert finding(world.tenant_a).target == factories.release(crm, "2.0.0")


def test_who_has_it_has_it_alone(world: World, crm: Plugin) -> None:
    with lent(world.group.pk, AT) as one, lent(world.group.pk, AT) as other:
        assert one is not other


def test_it_is_not_kept_where_an_evaluation_failed_or_the_catalogue_changed_meanwhile(
    world: World, crm: Plugin
) -> None:
    first = ask(world)
    with pytest.raises(ZeroDivisionError), lent(world.group.pk, AT):
        raise ZeroDivisionError
    second = ask(world)
    with lent(world.group.pk, AT):
        withdraw(crm)
    assert len({id(one) for one in (first, second, ask(world))}) == 3


def test_of_few_groups_only_and_none_that_has_grown_large(
    world: World, crm: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(world)
    monkeypatch.setattr(stock, "_GROUPS", 1)
    with lent(factories.group("other").pk, AT):
        pass
    second = ask(world)
    assert second is not first
    monkeypatch.setattr(stock, "_PARTS", -1)
    with lent(world.group.pk, AT) as used:
        assert used is second
    assert ask(world) is not second
