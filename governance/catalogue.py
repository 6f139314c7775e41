"""The plugins and releases that a group knows, from its catalogue or from manifests alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import advisories, catalogue_formats, locks, ranking, staging, versions
from governance.catalogue_formats import CatalogueError, PluginDocument, ReleaseDocument
from governance.models import Plugin, Release, Rule
from tenants.models import Group

__all__ = ["CatalogueError", "LoadResult", "find_releases", "load", "resolve_releases", "withdraw"]

Wanted = tuple[str, str]  # the plugin's name and the version
Found = tuple[int, int]  # the plugin's and the release's id
_MANY = 1_000  # new releases, from which on what was known of the table is no guide


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load brought: what the documents hold, and how much of it is new or different."""

    plugins: int
    releases: int
    advisories: int
    new_releases: int
    changed: int  # plugins, releases and warnings that are new or different
    changed_plugin_ids: frozenset[int] = frozenset()

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        counts = asdict(self)
        del counts["changed_plugin_ids"]
        return counts


@transaction.atomic
def load(group: Group, documents: object, *, actor: Actor, at: datetime) -> LoadResult:
    """Take catalogue documents, all or none; the same again changes nothing.

    Releases that the documents don't name stay: a catalogue forgets nothing. Raises CatalogueError.
    """
    result = take(group, documents)
    if result.changed:
        ledger.record(Action.CATALOGUE_LOADED, subject=group, actor=actor, at=at, data=result.figures())
        _leave_to_rules_to_come(group.pk)  # with the ledger held, as by whoever puts rules in force
    if result.new_releases > _MANY:
        staging.look_again(Plugin, Release)
    return result


@transaction.atomic
def take(group: Group, documents: object) -> LoadResult:
    """Take documents with nothing written down about it: also what a simulation does, and takes back.

    Raises CatalogueError.
    """
    plugins = catalogue_formats.read(documents)
    locks.cataloguing(group.pk)
    changed = _save_plugins(group, plugins)
    new, different, touched = _save_releases(group.pk, plugins)
    ranking.renew(touched | changed)
    # Rules read another dialect otherwise, and leave the host out where they mean every plugin.
    Release.objects.filter(plugin__in=changed, compiled=True).update(compiled=False)
    warnings, warned = advisories.save(group.pk, plugins)
    advisories.link(group.pk, touched | changed | warned)
    return LoadResult(
        plugins=len(plugins),
        releases=sum(len(plugin.releases) for plugin in plugins),
        advisories=sum(len(plugin.advisories) for plugin in plugins),
        new_releases=new,
        changed=len(changed) + new + different + warnings,
        changed_plugin_ids=frozenset(touched | changed | warned),
    )


@transaction.atomic
def withdraw(release: Release, *, actor: Actor, at: datetime) -> None:
    """Mark a release as taken back by its makers. Done twice, it is recorded once."""
    if Release.objects.filter(pk=release.pk, withdrawn=False).update(withdrawn=True, compiled=False):
        data = {"plugin": release.plugin.name, "version": release.version}
        ledger.record(Action.RELEASE_WITHDRAWN, subject=release, actor=actor, at=at, data=data)
    release.withdrawn = True


def find_releases(group_id: int, wanted: Collection[Wanted]) -> dict[Wanted, Found]:
    """Those of the wanted releases that are known. Only an identical text is the same release."""
    wanted_names = staging.texts(name for name, _ in wanted)
    wanted_versions = staging.texts(version for _, version in wanted)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [wanted_names, wanted_versions, group_id])
        return {(name, version): (plugin, release) for name, version, plugin, release in cursor.fetchall()}


@transaction.atomic
def resolve_releases(group_id: int, wanted: Collection[Wanted]) -> dict[Wanted, Found]:
    """The ids of all wanted releases; unknown ones are made, as not in the catalogue.

    Raises versions.InvalidVersion for one that its dialect can't order.
    """
    found = find_releases(group_id, wanted)
    if len(found) == len(set(wanted)):
        return found
    locks.cataloguing(group_id)
    found = find_releases(group_id, wanted)  # someone may have made them while this waited
    missing = sorted(set(wanted) - found.keys())
    made = _make_uncatalogued(group_id, missing)
    touched = {plugin_id for plugin_id, _ in made.values()}
    ranking.renew(touched)
    advisories.link(group_id, touched)
    return found | made


def _save_plugins(group: Group, plugins: Sequence[PluginDocument]) -> set[int]:
    known = {
        plugin.name: plugin
        for plugin in Plugin.objects.filter(group=group, name__in=[plugin.name for plugin in plugins])
    }
    hosts = _hosts(group, plugins)
    _check_ranges(group, plugins)
    for document in plugins:
        if (plugin := known.get(document.name)) and plugin.scheme != document.scheme:
            _check_dialect(plugin, document.scheme)
    columns = {"name": "text", "title": "text", "scheme": "text", "is_host": "boolean"}
    rows = ((plugin.name, plugin.title, plugin.scheme, plugin.name in hosts) for plugin in plugins)
    staging.fill("staged_plugin", columns, rows)
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_PLUGINS, [group.pk])
        return {plugin_id for (plugin_id,) in cursor.fetchall()}


def _hosts(group: Group, plugins: Sequence[PluginDocument]) -> set[str]:
    """The name of the host if the documents describe it: a group has one host."""
    current = Plugin.objects.filter(group=group, is_host=True).values_list("name", flat=True).first()
    usual = current or group.host_name
    hosts = {
        plugin.name for plugin in plugins if plugin.host or (plugin.host is None and plugin.name == usual)
    }
    for name in sorted(hosts - {current} if current else sorted(hosts)[1:]):
        raise CatalogueError(f"{name}.host", f"the group has a host already: “{current or min(hosts)}”")
    return hosts


def _check_ranges(group: Group, plugins: Sequence[PluginDocument]) -> None:
    known = Plugin.objects.filter(group=group)
    host = known.filter(is_host=True).values_list("name", flat=True).first() or group.host_name
    schemes = dict(known.values_list("name", "scheme")) | {new.name: new.scheme for new in plugins}
    catalogue_formats.check_ranges(plugins, schemes, host)


def _check_dialect(plugin: Plugin, scheme: str) -> None:
    """Refuse a dialect that can't order what tenants are known to run."""
    for version in plugin.releases.values_list("version", flat=True):
        try:
            versions.scheme(scheme).key(version)
        except versions.InvalidVersion as error:
            reason = f"“{scheme}” can't order a release that is known already: {error}"
            raise CatalogueError(f"{plugin.name}.scheme", reason) from error


def _leave_to_rules_to_come(group_id: int) -> None:
    """Mark releases as compiled where there are no rules: those to come are compiled against all of them."""
    if not Rule.objects.filter(group=group_id).exists():
        # One that another transaction has in hand stays as it is: with the ledger held, nobody is waited for.
        new = Release.objects.filter(group=group_id, compiled=False)
        new.filter(pk__in=new.select_for_update(skip_locked=True, no_key=True)).update(compiled=True)


def _save_releases(group_id: int, plugins: Sequence[PluginDocument]) -> tuple[int, int, set[int]]:
    """How many releases are new, how many different, and the plugins that have new ones."""
    staging.fill("staged_release", _RELEASE_COLUMNS, _release_rows(plugins))
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_RELEASES, [group_id])
        saved: list[tuple[int, bool]] = cursor.fetchall()
    new = [plugin_id for plugin_id, is_new in saved if is_new]
    return len(new), len(saved) - len(new), set(new)


def _release_rows(plugins: Sequence[PluginDocument]) -> Iterable[tuple[Any, ...]]:
    for plugin in plugins:
        dialect = versions.scheme(plugin.scheme)
        for release in plugin.releases:
            yield (plugin.name, *_release_row(release), dialect.is_prerelease(release.version))


def _release_row(release: ReleaseDocument) -> tuple[Any, ...]:
    return (
        release.version,
        release.channel,
        release.released_at,
        release.security_fix,
        release.withdrawn,
        release.host_min,
        release.host_max,
        Jsonb(release.requires),
        Jsonb(release.conflicts),
        Jsonb(release.provides),
    )


def _make_uncatalogued(group_id: int, missing: Sequence[Wanted]) -> dict[Wanted, Found]:
    group = Group.objects.get(pk=group_id)
    names = sorted({name for name, _ in missing})
    plugins = {plugin.name: plugin for plugin in Plugin.objects.filter(group=group, name__in=names)}
    has_host = Plugin.objects.filter(group=group, is_host=True).exists()
    new = Plugin.objects.bulk_create(
        Plugin(
            group=group,
            name=name,
            scheme=group.default_scheme,
            is_host=name == group.host_name and not has_host,
            catalogued=False,
        )
        for name in names
        if name not in plugins
    )
    plugins |= {plugin.name: plugin for plugin in new}
    releases = Release.objects.bulk_create(
        Release(
            group=group,
            plugin=plugins[name],
            version=version,
            rank=0,
            prerelease=versions.scheme(plugins[name].scheme).is_prerelease(version),
            catalogued=False,
        )
        for name, version in missing
    )
    return {(r.plugin.name, r.version): (r.plugin_id, r.pk) for r in releases}


_FIND = """
SELECT plugin.name, release.version, plugin.id, release.id
FROM unnest(%s::text[], %s::text[]) AS wanted (name, version)
JOIN governance_plugin AS plugin ON plugin.group_id = %s AND plugin.name = wanted.name
JOIN governance_release AS release ON release.plugin_id = plugin.id AND release.version = wanted.version
"""

_SAVE_PLUGINS = """
INSERT INTO governance_plugin AS plugin (group_id, name, title, scheme, is_host, catalogued)
SELECT %s, name, title, scheme, is_host, TRUE FROM staged_plugin ORDER BY name
ON CONFLICT (group_id, name) DO UPDATE
SET title = EXCLUDED.title, scheme = EXCLUDED.scheme, is_host = EXCLUDED.is_host, catalogued = TRUE
WHERE (plugin.title, plugin.scheme, plugin.is_host, plugin.catalogued)
    IS DISTINCT FROM (EXCLUDED.title, EXCLUDED.scheme, EXCLUDED.is_host, TRUE)
RETURNING id
"""

_RELEASE_COLUMNS = {
    "plugin": "text",
    "version": "text",
    "channel": "text",
    "released_at": "timestamptz",
    "security_fix": "boolean",
    "withdrawn": "boolean",
    "host_min": "text",
    "host_max": "text",
    "requires": "jsonb",
    "conflicts": "jsonb",
    "provides": "jsonb",
    "prerelease": "boolean",
}

# A document that doesn't say whether a release was withdrawn leaves that as it is.
_SAVE_RELEASES = """
INSERT INTO governance_release AS release (
    group_id, plugin_id, version, rank, channel, released_at, security_fix, withdrawn, prerelease, catalogued,
    host_min, host_max, requires, conflicts, provides, compiled
)
SELECT
    plugin.group_id, plugin.id, staged.version, 0, staged.channel, staged.released_at, staged.security_fix,
    COALESCE(staged.withdrawn, known.withdrawn, FALSE), staged.prerelease, TRUE,
    staged.host_min, staged.host_max, staged.requires, staged.conflicts, staged.provides, FALSE
FROM staged_release AS staged
JOIN governance_plugin AS plugin ON plugin.group_id = %s AND plugin.name = staged.plugin
LEFT JOIN governance_release AS known ON known.plugin_id = plugin.id AND known.version = staged.version
ON CONFLICT (plugin_id, version) DO UPDATE SET
    channel = EXCLUDED.channel, released_at = EXCLUDED.released_at, security_fix = EXCLUDED.security_fix,
    withdrawn = EXCLUDED.withdrawn, prerelease = EXCLUDED.prerelease, catalogued = TRUE,
    host_min = EXCLUDED.host_min, host_max = EXCLUDED.host_max, requires = EXCLUDED.requires,
    conflicts = EXCLUDED.conflicts, provides = EXCLUDED.provides, compiled = FALSE
WHERE (
    release.channel, release.released_at, release.security_fix, release.withdrawn, release.prerelease,
    release.catalogued, release.host_min, release.host_max, release.requires, release.conflicts,
    release.provides
) IS DISTINCT FROM (
    EXCLUDED.channel, EXCLUDED.released_at, EXCLUDED.security_fix, EXCLUDED.withdrawn, EXCLUDED.prerelease,
    TRUE, EXCLUDED.host_min, EXCLUDED.host_max, EXCLUDED.requires, EXCLUDED.conflicts, EXCLUDED.provides
)
RETURNING plugin_id, xmax = 0
"""
