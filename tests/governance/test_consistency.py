"""What can't run in a tenant."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from governance import consistency
from governance.consistency import Misfit
from governance.models import Inventory, Manifest, Plugin, Release
from governance.relations import Catalogue
from governance.resolution import troubles
from tests import factories
from tests.factories import AT, World


def asks(name: str, version: str = "1.0.0", **fields: Any) -> None:
    """Let a release ask something of others."""
    assert Release.objects.filter(plugin__name=name, version=version).update(**fields) == 1


def needs(plugin: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"plugin": plugin, "range": text, **more}


def report(world: World, *, complete: bool = True, days: int = 0) -> None:
    """Let tenant-a have sent a manifest; what it runs stays as it is."""
    inventory, _ = Inventory.objects.get_or_create(digest="0" * 64, plugins={}, size=0)
    Manifest.objects.create(
        group=world.group,
        tenant=world.tenant_a,
        inventory=inventory,
        observed_at=AT + timedelta(days=days),
        received_at=AT,
        source="file",
        complete=complete,
    )


@pytest.fixture
def fleet(world: World) -> World:
    """tenant-a runs three plugins on a host; nothing asks anything of another yet."""
    factories.plugin(world.group, "platform", ["1.0.0", "2.0.0"], host=True)
    for name in ("crm", "shop", "tax"):
        factories.plugin(world.group, name, ["1.0.0", "2.0.0"])
    factories.install(world.tenant_a, {"platform": "1.0.0", "crm": "1.0.0", "shop": "1.0.0", "tax": "1.0.0"})
    return world


def found(world: World) -> dict[str, tuple[bool, tuple[str, ...]]]:
    return {m.plugin: (m.usable, m.reasons) for m in consistency.judge(world.tenant_a).misfits}


def test_nothing_is_wrong_where_everything_finds_what_it_asks(fleet: World) -> None:
    asks("shop", requires=[needs("crm", ">=1.0.0")], host_min="1.0.0", conflicts=[needs("tax", ">=2.0.0")])
    assert consistency.judge(fleet.tenant_a).misfits == ()


def test_a_plugin_without_what_it_needs_cant_run_nor_can_those_that_need_it(fleet: World) -> None:
    asks("crm", requires=[needs("tax", ">=2.0.0")])
    asks("shop", requires=[needs("crm")])
    crm = Plugin.objects.get(name="crm").pk
    first, second = consistency.judge(fleet.tenant_a).misfits
    assert first == Misfit(crm, "crm", "1.0.0", False, ("needs tax >=2.0.0, and tax is at 1.0.0",))
    assert second.reasons == ("needs crm, and crm can't run",)


@pytest.mark.parametrize(
    ("fields", "usable", "reason"),
    [
        ({"requires": [needs("gone", ">=1")]}, False, "needs gone >=1, which isn't installed"),
        ({"host_min": "2.0.0"}, False, "needs platform >=2.0.0, and platform is at 1.0.0"),
        (
            {"requires": [needs("tax", ">=2.0.0", optional=True)]},
            True,
            "goes only with tax >=2.0.0, and tax is at 1.0.0",
        ),
        ({"conflicts": [needs("tax", "<2.0.0")]}, True, "doesn't go with tax <2.0.0, and tax is at 1.0.0"),
        (
            {"requires": [{"any_of": [needs("tax", ">=2.0.0"), needs("crm", ">=2.0.0")]}]},
            False,
            "needs tax >=2.0.0 or crm >=2.0.0, and crm is at 1.0.0 and tax is at 1.0.0",
        ),
    ],
)
def test_the_reason_is_told_in_words(fleet: World, fields: Any, usable: bool, reason: str) -> None:
    asks("shop", **fields)
    assert found(fleet) == {"shop": (usable, (reason,))}


def test_none_of_several_alternatives_that_the_catalogue_knows_is_there(fleet: World) -> None:
    factories.install(fleet.tenant_a, {"platform": "1.0.0", "shop": "1.0.0"})
    asks("shop", requires=[{"any_of": [needs("tax"), needs("crm")]}])
    assert found(fleet) == {"shop": (False, ("needs tax or crm, none of which is installed",))}


def test_what_needs_two_that_clash_is_told_of_the_clash(fleet: World) -> None:
    asks("shop", requires=[needs("crm"), needs("tax")])
    asks("crm", conflicts=[needs("tax")])
    assert found(fleet) == {
        "crm": (True, ("doesn't go with tax, and tax is at 1.0.0",)),
        "shop": (False, ("needs what doesn't go together: crm doesn't go with tax",)),
    }


def test_what_stands_in_for_a_name_meets_the_need_for_it(fleet: World) -> None:
    asks("shop", requires=[needs("billing")])
    assert "shop" in found(fleet)
    asks("tax", provides=["billing"])
    assert found(fleet) == {}


def test_an_optional_plugin_may_be_missing(fleet: World) -> None:
    asks("shop", requires=[needs("gone", ">=1", optional=True)])
    assert found(fleet) == {}


def test_a_release_that_only_manifests_know_asks_nothing(fleet: World) -> None:
    factories.plugin(fleet.group, "own", ["0.1.0"])
    Release.objects.filter(plugin__name="own").update(catalogued=False)
    factories.install(fleet.tenant_a, {"own": "0.1.0"})
    assert found(fleet) == {}


def test_nothing_is_asked_of_a_host_that_is_not_known(fleet: World) -> None:
    factories.install(fleet.tenant_a, {"shop": "1.0.0"})
    asks("shop", host_min="2.0.0", requires=[needs("platform", ">=2.0.0")])
    assert found(fleet) == {}


@pytest.mark.parametrize(("complete", "blamed"), [(True, ["shop"]), (False, [])])
def test_nobody_is_blamed_for_what_the_newest_manifest_may_leave_out(
    fleet: World, complete: bool, blamed: list[str]
) -> None:
    asks("shop", requires=[needs("gone")])
    report(fleet, complete=complete, days=1)
    report(fleet, complete=not complete)
    assert list(found(fleet)) == blamed


def test_evaluation_sees_the_same_though_it_loads_whole_plugins(fleet: World) -> None:
    asks("crm", requires=[needs("tax", ">=2.0.0"), needs("shop", ">=1.5.0", optional=True)])
    asks("shop", requires=[needs("crm")], host_max="1.5.0", conflicts=[needs("tax", "<1.5.0")])
    catalogue = Catalogue(fleet.group.pk, AT)
    pks = set(Release.objects.filter(version="1.0.0").values_list("pk", flat=True))
    catalogue.load_releases(pks)
    catalogue.load_named(pks)
    releases = {catalogue.plugins[r.component].name: r for r in map(catalogue.release, pks)}
    host = releases.pop("platform")
    seen = {
        catalogue.plugins[trouble.release.component].name: [
            reason.relation.says for reason in trouble.reasons
        ]
        for trouble in troubles(releases.values(), host=host)
    }
    told = {name: list(reasons) for name, (_, reasons) in found(fleet).items()}
    assert seen.keys() == told.keys()
    for name, says in seen.items():
        assert [reason.startswith(said) for reason, said in zip(told[name], says, strict=True)] == [
            True
        ] * len(says)


def test_the_queries_are_as_many_however_much_is_installed(
    fleet: World, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        consistency.judge(fleet.tenant_a)
    for number in range(30):
        factories.plugin(fleet.group, f"more-{number}", ["1.0.0"])
        asks(f"more-{number}", requires=[needs("crm", ">=2.0.0")])
    names = Plugin.objects.filter(is_host=False).values_list("name", flat=True)
    factories.install(fleet.tenant_a, {"platform": "1.0.0", **dict.fromkeys(names, "1.0.0")})
    with django_assert_num_queries(3):
        assert len(consistency.judge(fleet.tenant_a).misfits) == 30


class TestPage:
    """The tenant's page about it."""

    def read(self, world: World, client: Client) -> str:
        client.force_login(world.owner)
        return client.get(f"/g/acme/tenants/{world.tenant_a.pk}/consistency/").content.decode()

    def test_it_lists_what_cant_run_with_the_reasons(self, fleet: World, client: Client) -> None:
        asks("crm", requires=[needs("tax", ">=2.0.0")])
        asks("tax", conflicts=[needs("shop")])
        page = self.read(fleet, client)
        assert "needs tax &gt;=2.0.0, and tax is at 1.0.0" in page
        assert page.count("Can’t run</span>") == page.count("Not beside the other</span>") == 1

    def test_where_everything_goes_together_it_says_so(self, fleet: World, client: Client) -> None:
        report(fleet)
        page = self.read(fleet, client)
        assert "Everything goes together" in page
        assert "isn’t judged" not in page

    def test_a_tenant_that_has_reported_nothing_isnt_said_to_be_fine(
        self, world: World, client: Client
    ) -> None:
        page = self.read(world, client)
        assert "Nothing reported yet" in page
        assert "Everything goes together" not in page

    def test_what_a_manifest_may_leave_out_isnt_said_to_be_fine(self, fleet: World, client: Client) -> None:
        report(fleet, complete=False)
        page = self.read(fleet, client)
        assert "Only what the manifest lists was judged" in page
        assert "may leave plugins out" in page
        assert "Everything goes together" not in page

    def test_what_is_asked_of_an_unknown_host_isnt_said_to_be_fine(
        self, fleet: World, client: Client
    ) -> None:
        report(fleet)
        factories.install(fleet.tenant_a, {"shop": "1.0.0"})
        asks("shop", host_min="2.0.0")
        page = self.read(fleet, client)
        assert "Which host the tenant runs isn’t known" in page
        assert "Everything goes together" not in page

    def test_what_cant_run_is_told_beside_what_wasnt_judged(self, fleet: World, client: Client) -> None:
        report(fleet, complete=False)
        asks("crm", requires=[needs("tax", ">=2.0.0")])
        page = self.read(fleet, client)
        assert "Can’t run</span>" in page
        assert "may leave plugins out" in page

    def test_the_tenants_other_pages_lead_to_it(self, fleet: World, client: Client) -> None:
        client.force_login(fleet.owner)
        page = client.get(f"/g/acme/tenants/{fleet.tenant_a.pk}/").content.decode()
        assert f'href="/g/acme/tenants/{fleet.tenant_a.pk}/consistency/"' in page
