"""A conflict that tenants share although each has another version: what is told of all is true of each."""

from __future__ import annotations

from dataclasses import replace

from django.test import Client

from config.access import SYSTEM
from governance import conflict_wording, decisions, policies, ways_out
from governance.models import Conflict
from governance.resolution import Unsettled
from governance.resolution.links import Demand, Link, Place, Stands
from governance.resolution.outcome import ConflictingSet
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed


def apart(world: World) -> Conflict:
    """The same two rules conflict in tenants of which each has another version."""
    disputed.behind(world)
    factories.install(factories.tenant(world.group, "tenant-c"), {"crm": "2.2.0"})
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.2.0"}, tenants={"keys": ["tenant-b", "tenant-c"]})
    return Conflict.objects.waiting().get()


APART = {
    "Set core aside here: crm goes back to 2.2.0 in tenant-b; crm stays at 2.2.0 in tenant-c",
    "Set cap aside here: crm goes to 2.4.0",
}


def test_tenants_that_share_a_conflict_are_told_each_where_a_way_out_leads_there(world: World) -> None:
    conflict = apart(world)
    assert {way["says"] for way in ways_out.told(conflict)} == APART


def test_what_one_tenant_comes_to_is_told_of_no_other_when_it_is_looked_at_alone(world: World) -> None:
    conflict = apart(world)
    for tenant in Tenant.objects.filter(key__in=["tenant-c", "tenant-b"]):
        decisions.evaluate(world.group, at=AT, actor=SYSTEM, tenant_ids=[tenant.pk])
        conflict.refresh_from_db()
        assert {way["says"] for way in ways_out.told(conflict)} == APART


def test_what_a_tenant_comes_to_is_told_anew_once_it_runs_something_else(world: World) -> None:
    conflict = apart(world)
    factories.install(Tenant.objects.get(key="tenant-c"), {"crm": "2.3.0"})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    conflict.refresh_from_db()
    told = "Set core aside here: crm goes back to 2.2.0"
    assert told in {way["says"] for way in ways_out.told(conflict)}


def test_the_conflicts_page_names_the_tenants_in_which_a_way_out_leads_elsewhere(
    world: World, client: Client
) -> None:
    client.force_login(world.owner)
    page = client.get(f"/g/acme/decisions/{apart(world).pk}/").content.decode()
    assert "crm goes back to 2.2.0 in tenant-b; crm stays at 2.2.0 in tenant-c" in page


def needing(at: str | Place, demand: Demand = Demand.NEEDS, *, such: bool = False) -> Unsettled:
    """A conflict that a dependency closes, in a tenant that has the host there."""
    stands = Stands("base", at, such=such)
    link = Link("crm", "2.4.0", "needs base >=3", demand, ("base >=3",), (stands,))
    return Unsettled((1,), "f", f"core wants crm 2.4.0; {link}", (ConflictingSet((), (link,)),))


def test_where_tenants_have_something_else_installed_no_version_of_one_is_told_of_all() -> None:
    told = conflict_wording.in_common([needing("1.0"), needing("1.0"), needing("2.0")])
    words = "crm 2.4.0 needs base >=3, and base is installed at another version"
    assert told.chain == (words,)
    assert told.summary == f"core wants crm 2.4.0; {words}"
    clashing = conflict_wording.in_common([needing(at, Demand.NOT, such=True) for at in ("1.0", "2.0")])
    assert clashing.chain == ("crm 2.4.0 needs base >=3, and base is installed at such a version",)


def test_a_demand_that_is_met_where_each_tenant_is_isnt_said_to_be_missed() -> None:
    met = conflict_wording.in_common([needing("3.1", such=True), needing("3.2", such=True)])
    assert met.chain == ("crm 2.4.0 needs base >=3, and base is installed at such a version",)
    mixed = conflict_wording.in_common([needing("3.1", such=True), needing("2.0")])
    assert mixed.chain == ("crm 2.4.0 needs base >=3, and base is not at the same version everywhere",)


def test_what_keeps_something_back_in_one_tenant_alone_isnt_told_of_all() -> None:
    alone = needing("1.0")
    refuses = Link("mail", "1.0.0", "needs base <3", Demand.NEEDS, ("base <3",), (Stands("base", "1.0"),))
    further = replace(
        alone,
        summary=f"{alone.summary}; {refuses}",
        sets=(replace(alone.sets[0], links=(*alone.sets[0].links, refuses)),),
    )
    for tellings in ([alone, further], [further, alone]):
        assert conflict_wording.in_common(tellings) == alone
    assert conflict_wording.in_common([further, replace(further)]) == further


def test_what_one_tenants_search_left_open_is_left_open_for_all() -> None:
    one = needing("1.0")
    assert not conflict_wording.in_common([one, replace(one, complete=False)]).complete
    assert not conflict_wording.in_common([one, replace(one, proved=False)]).proved


def test_what_tenants_share_is_told_as_it_is() -> None:
    one = needing("1.0")
    assert conflict_wording.in_common([one]) is one
    assert conflict_wording.in_common([one, replace(one)]) == one
