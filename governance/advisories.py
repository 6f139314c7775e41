"""Which releases a security warning affects, those included that become known after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from governance import staging, versions
from governance.catalogue_formats import PluginDocument
from governance.models import Advisory, Release


@dataclass(frozen=True, slots=True)
class _Known:
    """A release as far as a warning asks about it."""

    id: int
    version: str
    rank: int


def save(group_id: int, plugins: Iterable[PluginDocument]) -> tuple[int, set[int]]:
    """Write the warnings of these documents; how many are new or different, and of which plugins."""
    columns = {"plugin": "text", "identifier": "text", "title": "text", "url": "text", "affects": "jsonb"}
    staging.fill(
        "staged_advisory",
        columns,
        (
            (plugin.name, warning.identifier, warning.title, warning.url, Jsonb(warning.affects))
            for plugin in plugins
            for warning in plugin.advisories
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, {"group": group_id})
        touched = [plugin_id for (plugin_id,) in cursor.fetchall()]
    return len(touched), set(touched)


def link(group_id: int, plugin_ids: Collection[int]) -> None:
    """Tie the warnings on these plugins to the releases that they affect, and to no others."""
    warnings = Advisory.objects.filter(plugin__in=plugin_ids).values_list(
        "pk", "plugin_id", "plugin__scheme", "affects"
    )
    found = list(warnings)
    if not found:
        return
    releases: dict[int, list[_Known]] = {}
    rows = Release.objects.filter(plugin__in={plugin_id for _, plugin_id, _, _ in found})
    for plugin_id, release_id, version, rank in rows.values_list("plugin_id", "pk", "version", "rank"):
        releases.setdefault(plugin_id, []).append(_Known(release_id, version, rank))
    staging.fill(
        "staged_release_advisory",
        {"advisory_id": "bigint", "release_id": "bigint"},
        (
            (advisory_id, release_id)
            for advisory_id, plugin_id, scheme, affects in found
            for release_id in _affected(versions.scheme(scheme), affects, releases.get(plugin_id, []))
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(_LINK, {"advisories": [advisory_id for advisory_id, *_ in found], "group": group_id})


def _affected(dialect: versions.Scheme, affects: Any, releases: list[_Known]) -> Iterator[int]:
    if isinstance(affects, str):
        wanted = dialect.range(affects)
        yield from (release.id for release in releases if wanted.contains(release.version))
        return
    # Equal isn't identical: a warning on 2.0 affects 2.0.0 too.
    rank_of = {release.version: release.rank for release in releases}
    ranks = {rank_of[version] for version in affects if version in rank_of}
    unknown = [version for version in affects if version not in rank_of]
    for release in releases:
        if release.rank in ranks or any(dialect.compare(release.version, other) == 0 for other in unknown):
            yield release.id


_SAVE = """
INSERT INTO governance_advisory (group_id, plugin_id, identifier, title, url, affects)
SELECT plugin.group_id, plugin.id, staged.identifier, staged.title, staged.url, staged.affects
FROM staged_advisory AS staged
JOIN governance_plugin AS plugin ON plugin.group_id = %(group)s AND plugin.name = staged.plugin
ON CONFLICT (plugin_id, identifier) DO UPDATE
SET title = EXCLUDED.title, url = EXCLUDED.url, affects = EXCLUDED.affects
WHERE (governance_advisory.title, governance_advisory.url, governance_advisory.affects)
    IS DISTINCT FROM (EXCLUDED.title, EXCLUDED.url, EXCLUDED.affects)
RETURNING plugin_id
"""

# A release that gains or loses a warning has to be judged anew.
_LINK = """
WITH lost AS (
    DELETE FROM governance_releaseadvisory AS link
    WHERE link.advisory_id = ANY(%(advisories)s) AND NOT EXISTS (
        SELECT FROM staged_release_advisory AS staged
        WHERE staged.advisory_id = link.advisory_id AND staged.release_id = link.release_id
    )
    RETURNING link.release_id
), gained AS (
    INSERT INTO governance_releaseadvisory (advisory_id, release_id)
    SELECT advisory_id, release_id FROM staged_release_advisory
    ON CONFLICT (release_id, advisory_id) DO NOTHING
    RETURNING release_id
)
UPDATE governance_release SET compiled = FALSE
WHERE group_id = %(group)s AND compiled
    AND id IN (SELECT release_id FROM lost UNION SELECT release_id FROM gained)
"""
