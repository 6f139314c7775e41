"""The catalogue as it is loaded, and extended by manifests."""

from __future__ import annotations

from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import catalogue, drift, versions
from governance.catalogue import CatalogueError, LoadResult
from governance.models import Advisory, Plugin, Release
from tenants.models import Group
from tests import factories
from tests.factories import AT, World


def load(world: World, *documents: dict[str, Any]) -> LoadResult:
    return catalogue.load(world.group, list(documents), actor=SYSTEM, at=AT)


def crm(*releases: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
    listed = [{"version": one} if isinstance(one, str) else one for one in releases]
    return {"plugin": "crm", "scheme": "semver", "releases": listed, **fields}


def release(world: World, version: str, plugin: str = "crm") -> Release:
    return Release.objects.get(group=world.group, plugin__name=plugin, version=version)


def in_order(world: World, plugin: str = "crm") -> list[str]:
    rows = Release.objects.filter(group=world.group, plugin__name=plugin).order_by("rank", "version")
    return list(rows.values_list("version", flat=True))


def affected(world: World, identifier: str) -> list[str]:
    rows = Advisory.objects.filter(group=world.group, identifier=identifier)
    return sorted(rows.values_list("releases__version", flat=True).exclude(releases=None))


def test_a_release_is_stored_with_all_that_its_document_says(world: World) -> None:
    described = {
        "version": "2.4.0",
        "released_at": "2026-01-05T10:00:00",
        "channel": "lts",
        "security_fix": True,
        "host_min": "1.0.0",
        "host_max": None,
        "requires": [{"plugin": "mail", "range": ">=1.0.0", "optional": True}],
        "conflicts": [{"plugin": "fax", "range": "*"}],
        "provides": ["contacts"],
    }
    load(world, crm(described, title="Customers"))
    stored = release(world, "2.4.0")
    assert stored.plugin.title == "Customers"
    assert stored.released_at is not None
    assert stored.released_at.isoformat() == "2026-01-05T10:00:00+00:00"
    assert (stored.channel, stored.security_fix, stored.host_min, stored.host_max) == (
        "lts",
        True,
        "1.0.0",
        "",
    )
    assert stored.requires == [{"plugin": "mail", "range": ">=1.0.0", "optional": True}]
    assert stored.conflicts == [{"plugin": "fax", "range": "*"}]
    assert stored.provides == ["contacts"]
    assert (stored.catalogued, stored.withdrawn) == (True, False)


def test_releases_are_ranked_in_the_order_of_their_dialect(world: World) -> None:
    load(world, crm("2.10.0", "2.9.0", "2.9.0-rc.1"))
    assert in_order(world) == ["2.9.0-rc.1", "2.9.0", "2.10.0"]
    assert release(world, "2.9.0-rc.1").prerelease


def test_equal_versions_of_different_text_share_a_rank(world: World) -> None:
    load(
        world, {"plugin": "git", "scheme": "jenkins", "releases": [{"version": "2.0"}, {"version": "2.0.0"}]}
    )
    assert release(world, "2.0", "git").rank == release(world, "2.0.0", "git").rank


def test_a_release_added_later_takes_its_place_in_the_order(world: World) -> None:
    load(world, crm("1.0.0", "3.0.0"))
    load(world, crm("2.0.0"))
    assert in_order(world) == ["1.0.0", "2.0.0", "3.0.0"]
    assert [release(world, one).rank for one in in_order(world)] == [0, 1, 2]


def compile_all(world: World) -> None:
    """Have a rule, and all releases compiled against it."""
    factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "1.0.0"}])
    Release.objects.filter(group=world.group).update(compiled=True)


def test_loading_the_same_again_changes_nothing_and_says_so(world: World) -> None:
    document = crm("1.0.0", {"version": "2.0.0", "requires": [{"plugin": "mail", "range": "^1.0.0"}]})
    document["advisories"] = [{"id": "SEC-1", "title": "Leak", "affects": "<2.0.0"}]
    first = load(world, document)
    assert (first.plugins, first.releases, first.advisories) == (1, 2, 1)
    assert (first.new_releases, first.changed) == (2, 4)
    compile_all(world)
    again = load(world, document)
    assert (again.new_releases, again.changed, again.changed_plugin_ids) == (0, 0, frozenset())
    assert Entry.objects.filter(group_id=world.group.pk, action=Action.CATALOGUE_LOADED).count() == 1
    assert not Release.objects.filter(group=world.group, compiled=False).exists()


def test_releases_that_come_before_all_rules_needn_t_be_compiled(world: World) -> None:
    load(world, crm("1.0.0"))
    assert release(world, "1.0.0").compiled
    factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "2.0.0"}])
    load(world, crm("1.5.0"))
    assert not release(world, "1.5.0").compiled
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "1.5.0"})
    assert drift.detect(world.group, at=AT).opened == 2


def test_rules_and_releases_of_other_groups_have_no_part_in_that(world: World) -> None:
    elsewhere = Group.objects.get(slug="elsewhere")
    theirs = factories.plugin(elsewhere, "crm", ["1.0.0"])
    factories.policy(elsewhere, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "2.0.0"}])
    Release.objects.update(compiled=False)
    load(world, crm("1.0.0"))
    assert release(world, "1.0.0").compiled
    assert not factories.release(theirs, "1.0.0").compiled


def test_a_changed_release_is_compiled_again(world: World) -> None:
    load(world, crm("1.0.0", "2.0.0"))
    compile_all(world)
    result = load(world, crm("1.0.0", {"version": "2.0.0", "channel": "lts"}))
    assert (result.new_releases, result.changed) == (0, 1)
    assert release(world, "1.0.0").compiled
    assert not release(world, "2.0.0").compiled


def test_a_release_that_a_document_leaves_out_stays(world: World) -> None:
    load(world, crm("1.0.0", "2.0.0"))
    load(world, crm("2.0.0"))
    assert in_order(world) == ["1.0.0", "2.0.0"]


def test_any_of_and_empty_ranges_are_kept(world: World) -> None:
    choices = {"any_of": [{"plugin": "a", "range": ""}, {"plugin": "b", "range": ">=2.0.0"}]}
    load(world, crm({"version": "1.0.0", "requires": [choices]}))
    assert release(world, "1.0.0").requires == [choices]


def test_fields_of_other_registries_are_left_alone(world: World) -> None:
    load(world, crm({"version": "1.0.0", "src": "mirror", "recommends": [{"plugin": "x"}]}))
    assert in_order(world) == ["1.0.0"]


def test_a_withdrawal_outlives_a_reload_that_does_not_speak_of_it(world: World) -> None:
    load(world, crm("1.0.0"))
    catalogue.withdraw(release(world, "1.0.0"), actor=SYSTEM, at=AT)
    load(world, crm("1.0.0"))
    assert release(world, "1.0.0").withdrawn
    load(world, crm({"version": "1.0.0", "withdrawn": False}))
    assert not release(world, "1.0.0").withdrawn


def test_withdrawing_is_recorded_once_and_asks_for_new_rules(world: World) -> None:
    load(world, crm("1.0.0"))
    compile_all(world)
    for _ in range(2):
        catalogue.withdraw(release(world, "1.0.0"), actor=SYSTEM, at=AT)
    entry = Entry.objects.get(group_id=world.group.pk, action=Action.RELEASE_WITHDRAWN)
    assert entry.data == {"plugin": "crm", "version": "1.0.0"}
    assert not release(world, "1.0.0").compiled


def test_a_warning_affects_a_range_of_releases_and_those_that_come_later(world: World) -> None:
    warning = {"id": "SEC-1", "title": "Leak", "affects": ">=1.0.0 <2.0.0"}
    load(world, crm("0.9.0", "1.0.0", "2.0.0", advisories=[warning]))
    assert affected(world, "SEC-1") == ["1.0.0"]
    load(world, crm("1.5.0"))
    assert affected(world, "SEC-1") == ["1.0.0", "1.5.0"]


def test_a_warning_that_lists_a_version_affects_equal_ones_too(world: World) -> None:
    warning = {"id": "SEC-2", "title": "Leak", "affects": ["2.0"]}
    listed = [{"version": "1.0"}, {"version": "2.0.0"}]
    load(world, {"plugin": "git", "scheme": "jenkins", "releases": listed, "advisories": [warning]})
    assert affected(world, "SEC-2") == ["2.0.0"]


def test_a_narrowed_warning_lets_go_of_releases(world: World) -> None:
    load(world, crm("1.0.0", "1.1.0", advisories=[{"id": "SEC-1", "affects": "<2.0.0"}]))
    compile_all(world)
    result = load(world, crm(advisories=[{"id": "SEC-1", "affects": ["1.0.0"]}]))
    assert result.changed == 1
    assert affected(world, "SEC-1") == ["1.0.0"]
    assert release(world, "1.0.0").compiled
    assert not release(world, "1.1.0").compiled


def test_a_release_known_from_a_manifest_is_affected_by_a_warning(world: World) -> None:
    load(world, crm("1.0.0", advisories=[{"id": "SEC-1", "affects": "<2.0.0"}]))
    catalogue.resolve_releases(world.group.pk, {("crm", "1.2.3")})
    assert affected(world, "SEC-1") == ["1.0.0", "1.2.3"]


def test_unknown_plugins_and_releases_are_made_as_not_in_the_catalogue(world: World) -> None:
    load(world, crm("1.0.0", "3.0.0"))
    wanted = {("crm", "1.0.0"), ("crm", "2.0.0"), ("stray", "0.1.0")}
    found = catalogue.resolve_releases(world.group.pk, wanted)
    assert found.keys() == wanted
    assert in_order(world) == ["1.0.0", "2.0.0", "3.0.0"]
    assert not release(world, "2.0.0").catalogued
    stray = Plugin.objects.get(group=world.group, name="stray")
    assert (stray.catalogued, stray.scheme) == (False, world.group.default_scheme)
    assert catalogue.resolve_releases(world.group.pk, wanted) == found


def test_an_equal_version_spelt_otherwise_is_a_release_of_its_own(world: World) -> None:
    load(world, {"plugin": "git", "scheme": "jenkins", "releases": [{"version": "2.0"}]})
    found = catalogue.resolve_releases(world.group.pk, {("git", "2.0"), ("git", "2.0.0")})
    assert found["git", "2.0"] != found["git", "2.0.0"]


def test_a_catalogue_takes_in_what_was_known_from_manifests_only(world: World) -> None:
    catalogue.resolve_releases(world.group.pk, {("crm", "1.0.0"), ("crm", "1.0.1")})
    load(world, crm("1.0.0", "2.0.0"))
    assert Plugin.objects.get(group=world.group, name="crm").catalogued
    assert release(world, "1.0.0").catalogued
    assert not release(world, "1.0.1").catalogued
    assert in_order(world) == ["1.0.0", "1.0.1", "2.0.0"]


def test_a_dialect_that_cannot_order_what_tenants_run_is_refused(world: World) -> None:
    load(world, {"plugin": "crm", "scheme": "jenkins", "releases": [{"version": "391.ve4a_38c1b_cf4b_"}]})
    with pytest.raises(CatalogueError, match=r"crm\.scheme: “semver” can't order .*391\.ve4a"):
        load(world, crm("1.0.0"))
    assert Plugin.objects.get(group=world.group, name="crm").scheme == "jenkins"


def test_a_release_that_no_dialect_of_it_orders_is_not_made(world: World) -> None:
    with pytest.raises(versions.InvalidVersion):
        catalogue.resolve_releases(world.group.pk, {("crm", "not a version")})


def test_the_plugin_of_the_groups_host_name_is_the_host(world: World) -> None:
    load(world, {"plugin": "host", "scheme": "semver", "releases": [{"version": "5.0.0"}]}, crm("1.0.0"))
    assert list(Plugin.objects.filter(group=world.group, is_host=True).values_list("name", flat=True)) == [
        "host"
    ]


def test_a_document_may_name_another_host(world: World) -> None:
    load(world, {"plugin": "platform", "scheme": "semver", "host": True, "releases": []})
    assert Plugin.objects.get(group=world.group, is_host=True).name == "platform"
    with pytest.raises(CatalogueError, match=r"other\.host: the group has a host already: “platform”"):
        load(world, {"plugin": "other", "scheme": "semver", "host": True, "releases": []})


def test_groups_have_catalogues_of_their_own(world: World) -> None:
    load(world, crm("1.0.0"))
    assert Plugin.objects.within(world.access(world.viewer)).count() == 1
    assert not Plugin.objects.filter(group__slug="elsewhere").exists()


def test_identical_descriptions_of_one_release_are_one(world: World) -> None:
    assert load(world, crm("1.0.0", "1.0.0")).releases == 1
