"""A catalogue that comes from documents instead of the database, compiled as the product compiles its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from governance import catalogue_formats, versions
from governance.catalogue_formats import CatalogueError, ReleaseDocument
from governance.demands import Demands, Entry, Line, PluginRow, Wishes
from governance.replaying import BadFile, Refused
from governance.resolution import Candidates, Release

Document = Mapping[str, Any]  # of one plugin, as governance.catalogue_formats takes it
Named = Mapping[str, Collection[str]]  # plugin: versions

_SILENT = Wishes("", "", (), ())


def host_document(name: str, scheme: str, hosts: Iterable[str]) -> Document:
    """The document of a host that is known by its versions alone."""
    releases = [{"version": version} for version in dict.fromkeys(hosts)]
    return {"plugin": name, "scheme": scheme, "host": True, "releases": releases}


class World:
    """The releases of some documents, each read and compiled when it is asked for.

    `besides` are releases that exist though no document tells of them, as the product learns of them from
    manifests: they have their place in their plugin's order and ask nothing of others. What a plugin's
    dialect can't order is left out, and refused when it is asked for.
    """

    def __init__(self, documents: Iterable[Document], besides: Named | None = None) -> None:
        self._documents = {document["plugin"]: document for document in documents}
        self._besides = dict(besides or {})
        names = dict.fromkeys([*self._documents, *self._besides])
        self._plugins = {name: self._row(number, name) for number, name in enumerate(names, start=1)}
        self.names = {row.id: row.name for row in self._plugins.values()}
        self._ids: dict[tuple[str, str], int] = {}
        self._told: dict[str, dict[str, ReleaseDocument | None]] = {}
        self._ranks: dict[str, dict[str, int]] = {}
        self._releases: dict[tuple[str, str], Release] = {}
        host = next((row for row in self._plugins.values() if row.is_host), None)
        self._demands = Demands(self._plugins, self._providers(), host)

    def restricted(self, universe: Named, hosts: Collection[str]) -> World:
        """The world in which only these releases and hosts exist."""
        kept: dict[str, Collection[str]] = {**universe, **dict.fromkeys(self._hosts, hosts)}
        documents = (self._documents[name] for name in kept if name in self._documents)
        return World((_only(document, kept[document["plugin"]]) for document in documents), kept)

    def component(self, plugin: str) -> int:
        """The number that stands for the plugin; the names by number are in `names`."""
        return self._plugins[plugin].id

    def name(self, release: Release) -> str:
        """The name of the release's plugin."""
        return self.names[release.component]

    def is_known(self, release: Release) -> bool:
        """Whether a document tells of the release."""
        return self._told[self.name(release)][release.version] is not None

    def candidates(self, plugin: str) -> Candidates:
        """Every release of a plugin, lowest first."""
        self._load(plugin)
        return Candidates(self.release(plugin, version) for version in self._ranks[plugin])

    def host(self, version: str) -> Release:
        """A release of the host; raises Refused where there is none."""
        return self.release(next(iter(self._hosts)), version)

    def release(self, plugin: str, version: str) -> Release:
        """A release with what it asks of others; raises Refused where there is none."""
        key = plugin, version
        if key not in self._releases:
            relations = tuple(relation for _, relation in self._sourced(plugin, version))
            self._releases[key] = Release(
                id=self._ids[key],
                component=self._plugins[plugin].id,
                version=version,
                rank=self._ranks[plugin][version],
                relations=relations,
            )
        return self._releases[key]

    def rank(self, plugin: str, version: str) -> float:
        """Where a version stands among the plugin's releases: between two of them if it is none.

        Raises Refused for what is no version.
        """
        self._load(plugin)
        ranks = self._ranks[plugin]
        if version in ranks:
            return ranks[version]
        dialect = self._plugins[plugin].dialect
        if not _is_orderable(dialect, version):
            raise Refused(f"{version} is no version of {plugin}")
        compared = {text: versions.scheme(dialect).compare(text, version) for text in ranks}
        same = (ranks[text] for text, order in compared.items() if order == 0)
        below = (ranks[text] for text, order in compared.items() if order < 0)
        return next(same, max(below, default=-1) + 0.5)

    def entry(self, release: Release, place: int) -> Entry | None:
        """What the catalogue says that the relation at that place was compiled from; None for the hosts."""
        return list(self._sourced(self.name(release), release.version))[place][0]

    def document(self, release: Release) -> Document:
        """What the catalogue says of the release."""
        told = self._documents[self.name(release)]["releases"]
        return next(found for found in told if found["version"] == release.version)

    def _row(self, number: int, name: str) -> PluginRow:
        document = self._documents.get(name, {})
        return PluginRow(number, name, document.get("scheme", self._dialect), bool(document.get("host")))

    @cached_property
    def _dialect(self) -> str:
        """Of plugins that no document tells of: that of the others."""
        others = (document["scheme"] for document in self._documents.values() if not document.get("host"))
        return next(others, "generic")

    @property
    def _hosts(self) -> Iterator[str]:
        return (row.name for row in self._plugins.values() if row.is_host)

    def _sourced(self, plugin: str, version: str) -> Iterable[tuple[Entry | None, Any]]:
        if plugin not in self._plugins:
            raise Refused(f"there is no {plugin}")
        self._load(plugin)
        if version not in self._ranks[plugin]:
            raise Refused(f"there is no {plugin} {version}")
        wishes = _wishes(self._told[plugin][version])
        for named in self._demands.named(wishes):
            self._load(self.names[named])
        return self._demands.sourced(self._plugins[plugin].id, wishes)

    def _load(self, plugin: str) -> None:
        """Have the plugin's releases in their order."""
        if plugin in self._ranks:
            return
        told = self._read(plugin)
        row = self._plugins[plugin]
        ranks = versions.ranks(row.dialect, told)
        self._told[plugin], self._ranks[plugin] = told, ranks
        ids = [self._id(plugin, version) for version in ranks]
        self._demands.lines[row.id] = Line(ids, list(ranks), frozenset(ids))

    def _read(self, plugin: str) -> dict[str, ReleaseDocument | None]:
        document = self._documents.get(plugin)
        try:
            read = catalogue_formats.read([document])[0].releases if document else ()
        except CatalogueError as error:
            raise BadFile(f"the catalogue can't be read: {error}") from error
        told: dict[str, ReleaseDocument | None] = {release.version: release for release in read}
        for version in self._besides.get(plugin, ()):
            if version not in told and _is_orderable(self._plugins[plugin].dialect, version):
                told[version] = None
        return told

    def _id(self, plugin: str, version: str) -> int:
        return self._ids.setdefault((plugin, version), len(self._ids) + 1)

    def _providers(self) -> dict[str, dict[int, set[int]]]:
        found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for plugin, document in self._documents.items():
            for release in document["releases"]:
                for name in release.get("provides") or ():
                    found[name][self._plugins[plugin].id].add(self._id(plugin, release["version"]))
        return found


def _only(document: Document, kept: Collection[str]) -> Document:
    return {**document, "releases": [one for one in document["releases"] if one["version"] in kept]}


def _wishes(told: ReleaseDocument | None) -> Wishes:
    return Wishes(told.host_min, told.host_max, told.requires, told.conflicts) if told else _SILENT


def _is_orderable(dialect: str, version: str) -> bool:
    try:
        versions.scheme(dialect).key(version)
    except versions.InvalidVersion:
        return False
    return True
