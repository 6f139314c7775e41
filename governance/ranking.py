"""The order of a plugin's releases, kept as a number, so that nothing compares version texts later."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from governance import staging, versions
from governance.models import Plugin


def renew(plugin_ids: Collection[int]) -> None:
    """Number all releases of these plugins anew, in the caller's transaction and under the catalogue's lock.

    Raises versions.InvalidVersion where a plugin's dialect can't order one of its releases.
    """
    plugins = Plugin.objects.filter(pk__in=plugin_ids)
    listed: dict[str, list[tuple[int, int, str]]] = {}
    for scheme, plugin_id, release_id, version in plugins.filter(releases__isnull=False).values_list(
        "scheme", "pk", "releases__pk", "releases__version"
    ):
        listed.setdefault(scheme, []).append((plugin_id, release_id, version))
    rows = [row for scheme, releases in listed.items() for row in _ranked(scheme, releases)]
    staging.fill("staged_rank", {"id": "bigint", "rank": "integer"}, rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE governance_release AS release SET rank = staged.rank FROM staged_rank AS staged"
            " WHERE release.id = staged.id AND release.rank <> staged.rank"
        )


def _ranked(scheme: str, releases: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    by_plugin: dict[int, list[tuple[int, str]]] = {}
    for plugin_id, release_id, version in releases:
        by_plugin.setdefault(plugin_id, []).append((release_id, version))
    ranked: list[tuple[int, int]] = []
    for own in by_plugin.values():
        ranks = versions.ranks(scheme, (version for _, version in own))
        ranked += [(release_id, ranks[version]) for release_id, version in own]
    return ranked
