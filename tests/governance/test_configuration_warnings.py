"""What configuration may want but probably doesn't mean: applied, and warned of with its place."""

from __future__ import annotations

import pytest

from config.access import SYSTEM
from governance import configuration, profiles
from governance.models import Plugin, Policy, Release
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

TEXT = """\
version: 1
groups:
  acme:
    policies:
      - name: align
        profile: steady
        tenants: {keys: [tenant-a, tenant-b]}
        rules: [{name: crm, plugins: [crm], at_least: 2.4.0}]
    holds:
      - {name: freeze, tenants: {keys: [tenant-b]}, plugins: [crm], until: in 9 days, reason: Books close.}
    exemptions:
      - {name: late, tenant: tenant-b, policy: align, rule: crm, reason: Moves later., until: in 9 days}
"""


@pytest.fixture
def acme(world: World) -> World:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "observe"}, actor=SYSTEM, at=AT)
    return world


@pytest.fixture
def free(acme: World) -> World:
    """With a plugin in whose dialect any text is a version."""
    git = factories.plugin(acme.group, "git", ["2.3.0"])
    git.scheme = "jenkins"
    git.save()
    return acme


def warned(text: str) -> list[tuple[int, str, str]]:
    loaded = configuration.load_text(text, file="baselines.yaml")
    applied = configuration.apply(loaded, actor=SYSTEM, at=AT)
    return [(one.line, one.place, one.reason) for one in applied.warnings]


def test_what_is_to_be_is_not_warned_of(acme: World) -> None:
    assert warned(TEXT) == []


def test_a_tenant_that_may_still_come_is_only_warned_of(acme: World) -> None:
    ((line, place, reason),) = warned(TEXT.replace("[tenant-a, tenant-b]", "[tenant-a, tenant-x]"))
    assert (line, place) == (7, "groups.acme.policies[0].tenants.keys[1]")
    assert "no tenant “tenant-x” yet" in reason
    assert Policy.objects.filter(name="align").exists()


def test_what_has_ended_already_is_warned_of(acme: World) -> None:
    assert warned(TEXT.replace("until: in 9 days", "until: 2026-03-01")) == [
        (10, "groups.acme.holds[0].until", "has passed already: it binds nobody"),
        (12, "groups.acme.exemptions[0].until", "has passed already: it exempts nobody"),
    ]


@pytest.mark.parametrize(
    ("wish", "version"),
    [
        ("at_least: latest", "latest"),
        ("at_least: ^2.4", "^2.4"),
        ("range: '>=2.0, !=newest'", "newest"),
        ("same: true, at: O.1", "O.1"),
    ],
)
def test_a_version_that_begins_with_no_number_is_warned_of_where_any_text_is_one(
    free: World, wish: str, version: str
) -> None:
    text = TEXT.replace("plugins: [crm], at_least: 2.4.0", f"plugins: [git], {wish}", 1)
    ((line, _, reason),) = warned(text)
    assert (line, reason) == (8, f"“{version}” doesn't begin with a number: is it a version of git?")


@pytest.mark.parametrize(
    "wish",
    [
        "at_least: v2.4",
        "range: '>=2.0 <3'",
        "range: '*'",
        "deny: vulnerable",
        "at_most: 391.ve4a_1",
    ],
)
def test_a_version_as_people_write_them_is_not_warned_of(free: World, wish: str) -> None:
    assert warned(TEXT.replace("plugins: [crm], at_least: 2.4.0", f"plugins: [git], {wish}", 1)) == []


def test_a_range_in_the_form_of_vers_is_not_taken_for_a_version(free: World) -> None:
    Plugin.objects.filter(group=free.group, name="git").update(scheme="maven")
    text = TEXT.replace("at_least: 2.4.0", "range: 'vers:maven/*'", 1).replace(
        "[crm], range", "[git], range", 1
    )
    assert warned(text) == []


@pytest.mark.parametrize(
    "wish",
    [
        "at_least: 2.4.1",
        "range: '>=2.4.1 <9'",
        "at_most: 2.2.9",
        "exactly: 2.3.5",
        "same: true, at: 24.0.0",
    ],
)
def test_a_version_that_no_release_has_is_warned_of(acme: World, wish: str) -> None:
    ((line, place, reason),) = warned(TEXT.replace("at_least: 2.4.0", wish, 1))
    word = wish.rpartition(", ")[2].partition(":")[0]
    assert (line, place) == (8, f"groups.acme.policies[0].rules[0].{word}")
    assert reason == "there is no release of crm that this allows; the newest is 2.4.0"


def test_the_newest_is_told_in_the_order_of_versions(acme: World) -> None:
    factories.plugin(acme.group, "mail", ["2.9.0", "2.10.0"])
    text = TEXT.replace("plugins: [crm], at_least: 2.4.0", "plugins: [mail], exactly: 2.9.5", 1)
    ((_, _, reason),) = warned(text)
    assert reason.endswith("the newest is 2.10.0")


def test_a_slip_about_many_plugins_is_told_once(acme: World) -> None:
    for name in ("mail", "sales"):
        factories.plugin(acme.group, name, ["1.0.0"])
    text = TEXT.replace("plugins: [crm], at_least: 2.4.0", "plugins: [crm, mail, sales], at_least: 2.0.0", 1)
    ((_, _, reason),) = warned(text)
    assert reason == "there is no release of mail that this allows, nor of 1 more"


def test_what_another_group_has_fulfils_nothing(acme: World) -> None:
    factories.plugin(factories.group("other"), "crm", ["9.0.0"])
    assert len(warned(TEXT.replace("at_least: 2.4.0", "at_least: 9.0.0", 1))) == 1


def test_what_a_tenant_runs_fulfils_it_though_no_catalogue_tells_of_it(acme: World) -> None:
    Release.objects.filter(plugin__name="crm", version="2.4.0").update(catalogued=False)
    assert warned(TEXT) == []


@pytest.mark.parametrize(
    "wish", ["exactly: 2.3.0", "same: true, at: 2.4.0", "deny: '>=0.0.1'", "absent: true"]
)
def test_what_some_release_fulfils_or_none_has_to_is_not_warned_of(acme: World, wish: str) -> None:
    assert warned(TEXT.replace("at_least: 2.4.0", wish, 1)) == []


def test_a_wish_of_a_variant_that_nothing_fulfils_is_warned_of_at_its_place(acme: World) -> None:
    variants = "at_least: 2.4.0, variants: [{name: b, tenants: {keys: [tenant-b]}, at_least: 3.0.0}]"
    ((_, place, _),) = warned(TEXT.replace("at_least: 2.4.0", variants, 1))
    assert place == "groups.acme.policies[0].rules[0].variants[0].at_least"


def test_without_any_release_nothing_is_said_of_a_version(acme: World) -> None:
    Release.objects.filter(plugin__name="crm").delete()
    assert warned(TEXT) == []


@pytest.mark.parametrize(
    ("tenants", "place", "told"),
    [
        ("{tiers: [standrad]}", "tiers[0]", "no tenant of the tier “standrad” yet; did you mean “standard”?"),
        ("{labels: {rong: pilot}}", "labels.rong", "no tenant with a label “rong” yet; did you mean “ring”?"),
        (
            "{labels: {ring: pilott}}",
            "labels.ring",
            "no tenant whose ring is “pilott” yet; did you mean “pilot”?",
        ),
        ("{labels: {ring: [pilot, x]}}", "labels.ring", "no tenant whose ring is “x” yet"),
        ("{keys: [tenant-a], except: {tiers: [x]}}", "except.tiers[0]", "no tenant of the tier “x” yet"),
    ],
)
def test_what_no_tenant_has_is_warned_of(acme: World, tenants: str, place: str, told: str) -> None:
    Tenant.objects.filter(pk=acme.tenant_a.pk).update(labels={"ring": "pilot"})
    unlike = {"key": "x", "tier": "x", "labels": {"rong": "x", "ring": "x"}}
    Tenant.objects.create(group=factories.group("other"), **unlike)
    Tenant.objects.create(group=acme.group, active=False, **unlike)
    assert warned(TEXT.replace("{keys: [tenant-a, tenant-b]}", tenants)) == [
        (7, f"groups.acme.policies[0].tenants.{place}", f"there is {told}")
    ]


def test_what_some_tenant_has_is_not_warned_of(acme: World) -> None:
    Tenant.objects.filter(pk=acme.tenant_a.pk).update(labels={"ring": "pilot"}, tier="critical")
    chosen = "{labels: {ring: [pilot]}, tiers: [standard, critical]}"
    assert warned(TEXT.replace("{keys: [tenant-a, tenant-b]}", chosen)) == []


def test_a_channel_that_no_release_comes_from_is_warned_of(acme: World) -> None:
    Release.objects.filter(plugin__name="crm").update(channel="lts")
    assert warned(TEXT.replace("at_least: 2.4.0", "channel: lts", 1)) == []
    ((_, place, reason),) = warned(TEXT.replace("at_least: 2.4.0", "channel: ltss", 1))
    assert place == "groups.acme.policies[0].rules[0].channel"
    assert reason.startswith("there is no release of crm that this allows")


def test_a_misspelt_state_is_told_what_may_be_meant(free: World) -> None:
    text = TEXT.replace("plugins: [crm], at_least: 2.4.0", "plugins: [git], deny: vulnerabel", 1)
    ((_, _, reason),) = warned(text)
    assert reason.endswith("is it a version of git? Or did you mean “vulnerable”?")
