"""Catalogues that are refused, with the place and the reason, and change nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import catalogue
from governance.catalogue import CatalogueError
from governance.models import Plugin
from tests.factories import AT, World


def crm(*releases: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
    listed = [{"version": one} if isinstance(one, str) else one for one in releases]
    return {"plugin": "crm", "scheme": "semver", "releases": listed, **fields}


REFUSED: list[tuple[object, str, str]] = [
    ({}, "catalogue", "must be a list"),
    (["crm"], "[0]", "must be an object"),
    ([{"scheme": "semver"}], "[0].plugin", "isn't empty"),
    ([{"plugin": "crm"}], "crm.scheme", "isn't empty"),
    ([{"plugin": "crm", "scheme": "roman"}], "crm.scheme", "not a version dialect"),
    ([crm(), crm()], "[1].plugin", "has a document already"),
    ([crm(title=5)], "crm.title", "must be a text"),
    ([crm(host="yes")], "crm.host", "true or false"),
    ([crm(releases={})], "crm.releases", "must be a list"),
    ([crm({"version": ""})], "crm.releases[0].version", "isn't empty"),
    ([crm({"version": "x" * 201})], "crm.releases[0].version", "at most 200"),
    ([crm("1.0.0", "one")], "crm.releases[1].version", "“one” is not a version"),
    (
        [crm({"version": "1.0.0", "channel": "a"}, {"version": "1.0.0", "channel": "b"})],
        "crm.releases[1].version",
        "described twice",
    ),
    ([crm({"version": "1.0.0", "released_at": "soon"})], "crm.releases[0].released_at", "ISO 8601"),
    ([crm({"version": "1.0.0", "withdrawn": "no"})], "crm.releases[0].withdrawn", "true or false"),
    ([crm({"version": "1.0.0", "requires": ["mail"]})], "crm.releases[0].requires[0]", "must be an object"),
    ([crm({"version": "1.0.0", "requires": [{}]})], "crm.releases[0].requires[0].plugin", "isn't empty"),
    (
        [crm({"version": "1.0.0", "requires": [{"plugin": "mail", "range": ">>1"}]})],
        "crm.releases[0].requires[0].range",
        "is not a version range",
    ),
    (
        [crm({"version": "1.0.0", "requires": [{"any_of": []}]})],
        "crm.releases[0].requires[0].any_of",
        "at least one",
    ),
    (
        [crm({"version": "1.0.0", "conflicts": [{"plugin": "fax", "range": "~~"}]})],
        "crm.releases[0].conflicts[0].range",
        "is not a version range",
    ),
    ([crm({"version": "1.0.0", "provides": [7]})], "crm.releases[0].provides[0]", "name of a plugin"),
    (
        [crm({"version": "1.0.0", "host_min": "five"}), {"plugin": "host", "scheme": "semver"}],
        "crm.releases[0].host_min",
        "is not a version",
    ),
    ([crm(advisories=[{"id": "S"}])], "crm.advisories[0].affects", "a range, or a list"),
    ([crm(advisories=[{"id": "S", "affects": ["x"]}])], "crm.advisories[0].affects[0]", "is not a version"),
    ([crm(advisories=[{"id": "S", "affects": "<<1"}])], "crm.advisories[0].affects", "version range"),
]


@pytest.mark.parametrize(("documents", "place", "reason"), REFUSED, ids=[place for _, place, _ in REFUSED])
def test_a_catalogue_is_refused_with_the_place_and_the_reason(
    world: World, documents: object, place: str, reason: str
) -> None:
    with pytest.raises(CatalogueError, match=re.escape(reason)) as refused:
        catalogue.load(world.group, documents, actor=SYSTEM, at=AT)
    assert refused.value.place == place
    assert not Plugin.objects.filter(group=world.group).exists()
    assert not Entry.objects.filter(group_id=world.group.pk, action=Action.CATALOGUE_LOADED).exists()
