"""Jenkins plugins: `{"core", "pins": {plugin: version}, "expect": {"ok", "uninstallable", "facts"}}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from governance.cases import consistency
from governance.cases.consistency import Fact
from governance.cases.format import Format, Questions
from governance.cases.shelf import Shelf
from governance.cases.world import Named, World, host_document
from governance.resolution import Reason

HOST = "jenkins"
SCHEME = "jenkins"


def world(shelf: Shelf, cores: Iterable[str], installed: Named) -> World:
    """The Jenkins catalogue on the shelf, with the cores and releases that are in use besides."""
    host = host_document(HOST, SCHEME, [*shelf.core_releases("jenkins-extra"), *cores])
    return World([host, *shelf.plugins(SCHEME, "catalogue-jenkins")], installed)


def _questions(document: Mapping[str, Any], shelf: Shelf) -> Questions:
    cases = document["cases"]
    found = world(shelf, (case["core"] for case in cases), consistency.pinned(cases))
    return consistency.questions(cases, found, "core", _facts)


def _facts(world: World, reason: Reason, core: str) -> Iterator[Fact]:
    """A dependency is missing or too old, optional or not, or the core is too old."""
    entry = world.entry(reason.release, reason.place)
    plugin, version = world.name(reason.release), reason.release.version
    if entry is None:
        yield [plugin, version, "core", world.document(reason.release)["host_min"], core]
        return
    wanted = [entry["plugin"], entry["range"].removeprefix(">=")]
    if not reason.beside:
        yield [plugin, version, "missing", *wanted]
    for release in reason.beside:
        kind = "optional-too-old" if entry.get("optional") else "too-old"
        yield [plugin, version, kind, *wanted, release.version]


FORMAT = Format("pinned", frozenset({"core", "pins"}), _questions)
