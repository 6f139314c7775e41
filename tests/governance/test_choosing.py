"""Why a rule that wants one version everywhere wants this one."""

from __future__ import annotations

from django.test import Client

from governance import choosing
from governance.choosing import Reach
from governance.models import Conflict
from tests import factories
from tests.factories import AT, World
from tests.governance import aligning


def held_apart(world: World) -> Conflict:
    """One version is wanted, tenant-b is kept on the old one and tenant-c on the new one."""
    aligning.ahead_and_behind(world)
    factories.install(factories.tenant(world.group, "tenant-c"), {"crm": "2.4.0"})
    aligning.align(world)
    aligning.hold(world, "freeze-b")
    aligning.hold(world, "freeze-c", tenants={"keys": ["tenant-c"]})
    aligning.judge(world)
    return Conflict.objects.get()


def test_the_versions_that_could_be_chosen_are_told_with_how_many_tenants_could_have_them(
    world: World,
) -> None:
    (choice,) = choosing.behind(held_apart(world), at=AT)
    assert (choice.policy, choice.key, choice.plugin) == ("core-align", "core-align", "crm")
    assert choice.reach == (Reach("2.4.0", 2, True), Reach("2.3.0", 1, False), Reach("2.2.0", 0, False))


def test_where_no_rule_chooses_there_is_nothing_to_tell(world: World) -> None:
    aligning.ahead_and_behind(world)
    named = [aligning.rule("crm", same=True, at="2.4.0")]
    factories.policy(world.group, "named", named, profile=aligning.ENFORCE)
    aligning.hold(world)
    aligning.judge(world)
    conflict = Conflict.objects.get()
    assert "same" in {rule["kind"] for rule in conflict.explanation["rules"]}
    assert choosing.behind(conflict, at=AT) == []


def test_the_conflicts_page_says_why_that_version_was_chosen(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"/g/acme/decisions/{held_apart(world).pk}/").content.decode()
    assert "Why this version of crm" in page
    assert "2.4.0 <span" in page
