"""CKAN modules: `{"host", "pins": {module: version}, "expect": {"ok", "uninstallable", "facts"}}`.

The game's versions are those that the file lists under `hosts`, besides those of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.cases import consistency
from governance.cases.consistency import Fact
from governance.cases.format import Format, Questions
from governance.cases.shelf import Shelf
from governance.cases.world import World, host_document
from governance.resolution import Reason, Why

HOST = "game"
HOST_SCHEME = "ckan-game"
SCHEME = "ckan"


def _questions(document: Mapping[str, Any], shelf: Shelf) -> Questions:
    cases = document["cases"]
    listed = [*shelf.host_list("catalogue-ckan-hosts"), *document.get("hosts", ())]
    host = host_document(HOST, HOST_SCHEME, [*listed, *(case["host"] for case in cases)])
    world = World([host, *shelf.plugins(SCHEME, "catalogue-ckan")], consistency.pinned(cases))
    return consistency.questions(cases, world, "host", _facts)


def _facts(world: World, reason: Reason, _: str) -> Iterator[Fact]:
    """The game is out of range, a requirement is unmet, or a conflict is there, once for each module."""
    entry = world.entry(reason.release, reason.place)
    module, version = world.name(reason.release), reason.release.version
    if entry is None:
        told = world.document(reason.release)
        yield [module, version, "host", told.get("host_min"), told.get("host_max")]
    elif reason.why is Why.UNMET:
        yield [module, version, "unmet", entry]
    else:
        for release in reason.beside:
            yield [module, version, "conflict", world.name(release), release.version, entry]


FORMAT = Format("ckan", frozenset({"host", "pins"}), _questions)
