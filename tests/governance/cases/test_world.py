"""A catalogue from documents, compiled as the product compiles its own."""

from pathlib import Path
from typing import Any

import pytest

from demo.sources import FACTS
from governance.cases import pinned
from governance.cases.shelf import Shelf
from governance.cases.world import World, host_document
from governance.replaying import BadFile, Refused
from governance.resolution import Clash, Need, Release


def plugin(name: str, *releases: dict[str, Any], scheme: str = "semver") -> dict[str, Any]:
    return {"plugin": name, "scheme": scheme, "releases": list(releases)}


CRM = plugin("crm", {"version": "1.10.0"}, {"version": "1.9.0"}, {"version": "2.0.0"})
SHOP = plugin(
    "shop",
    {
        "version": "1.0.0",
        "host_min": "7.0.0",
        "requires": [
            {"plugin": "crm", "range": ">=1.10.0"},
            {"plugin": "tax", "range": "", "optional": True},
        ],
        "conflicts": [{"plugin": "pay", "range": ""}],
    },
)
PAY = plugin("cash", {"version": "1.0.0", "provides": ["pay"]})
HOST = host_document("platform", "semver", ["8.0.0", "7.0.0", "6.0.0"])


@pytest.fixture
def world() -> World:
    return World([HOST, CRM, SHOP, PAY], {"crm": ["1.10.5"], "own": ["0.1.0"]})


def versions(world: World, ids: frozenset[int], plugin: str) -> list[str]:
    return [release.version for release in world.candidates(plugin) if release.id in ids]


def test_releases_stand_in_their_order_with_those_that_only_manifests_know(world: World) -> None:
    assert [release.version for release in world.candidates("crm")] == ["1.9.0", "1.10.0", "1.10.5", "2.0.0"]
    assert [world.is_known(release) for release in world.candidates("crm")] == [True, True, False, True]
    assert world.names[world.component("own")] == world.name(world.release("own", "0.1.0")) == "own"


def test_a_release_demands_what_its_document_says(world: World) -> None:
    shop = world.release("shop", "1.0.0")
    host, crm, pay = shop.relations
    assert isinstance(host, Need)
    assert versions(world, host.releases, "platform") == ["7.0.0", "8.0.0"]
    assert isinstance(crm, Need)
    assert versions(world, crm.releases, "crm") == ["1.10.0", "1.10.5", "2.0.0"]
    assert isinstance(pay, Clash)
    assert pay.releases == {world.release("cash", "1.0.0").id}
    entries = [world.entry(shop, place) for place in range(3)]
    assert entries == [None, {"plugin": "crm", "range": ">=1.10.0"}, {"plugin": "pay", "range": ""}]
    assert world.document(shop)["host_min"] == "7.0.0"


def test_in_a_restricted_world_only_what_is_named_exists(world: World) -> None:
    small = world.restricted({"shop": ["1.0.0"], "crm": ["1.9.0", "1.10.0"]}, ["6.0.0", "7.0.0"])
    host, crm = small.release("shop", "1.0.0").relations
    assert versions(small, host.releases, "platform") == ["7.0.0"]
    assert versions(small, crm.releases, "crm") == ["1.10.0"]
    for missing in (("crm", "2.0.0"), ("cash", "1.0.0")):
        with pytest.raises(Refused, match=missing[0]):
            small.release(*missing)
    assert small.host("6.0.0").component == small.component("platform")


def test_without_a_requirement_in_the_world_it_can_never_be_met(world: World) -> None:
    _, crm = world.restricted({"shop": ["1.0.0"]}, ["7.0.0"]).release("shop", "1.0.0").relations
    assert isinstance(crm, Need)
    assert (crm.says, crm.releases, crm.components) == ("needs crm >=1.10.0", frozenset(), frozenset())


def test_equal_wishes_are_one_relation_so_that_digests_are_made_once() -> None:
    wish = {"requires": [{"plugin": "crm", "range": ">=1.10.0"}]}
    world = World([CRM, plugin("a", {"version": "1.0.0", **wish}), plugin("b", {"version": "1.0.0", **wish})])
    (first,), (second,) = (world.release(name, "1.0.0").relations for name in "ab")
    assert first is second


def test_the_order_of_documents_gives_no_other_answers(world: World) -> None:
    turned = World([PAY, SHOP, CRM, HOST], {"own": ["0.1.0"], "crm": ["1.10.5"]})

    def told(world: World, release: Release) -> list[tuple[str, list[str]]]:
        return [(relation.says, versions(world, relation.releases, "crm")) for relation in release.relations]

    assert told(turned, turned.release("shop", "1.0.0")) == told(world, world.release("shop", "1.0.0"))


def test_a_catalogue_that_makes_no_sense_is_refused_with_the_place() -> None:
    world = World([plugin("crm", {"version": "one"})])
    with pytest.raises(BadFile, match=r"crm\.releases\[0\]\.version"):
        world.release("crm", "one")


def test_the_jenkins_world_has_the_known_cores_and_those_in_use() -> None:
    world = pinned.world(Shelf(FACTS / "cases.json"), ["2.303.2"], {})
    cores = [release.version for release in world.candidates(pinned.HOST)]
    assert cores.index("2.302") < cores.index("2.303.2") < cores.index("2.304")


def test_a_shelf_finds_files_by_name_beside_the_cases_and_beside_what_is_given(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cases.json", [FACTS / "security-denials-jenkins.json.gz"])
    assert shelf.plugins("jenkins", "catalogue-jenkins")[0]["plugin"] == "42crunch-security-audit"
    with pytest.raises(BadFile, match="catalogue-ckan"):
        shelf.plugins("ckan", "catalogue-ckan")
