"""Manifests fetched from where a group's sources keep them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import stamina
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from config.access import Actor
from governance import manifest_formats, manifests, wire
from governance.manifest_formats import Beside, Judged
from governance.models import ManifestSource
from tenants.models import Group

SOURCE = "collector"
TIMEOUT = httpx.Timeout(20.0, connect=3.0)
_ATTEMPTS = 3


class SourceFailed(Exception):
    """A source that can't be read, or doesn't answer as its contract says."""


@dataclass(slots=True)
class Collected:
    """What all sources brought together, and which of them failed."""

    results: list[manifests.IngestResult] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def changed_tenant_ids(self) -> frozenset[int]:
        """The tenants in which something is installed now that wasn't, or the other way round."""
        return frozenset().union(*(result.changed_tenant_ids for result in self.results))

    @property
    def accepted_tenant_ids(self) -> frozenset[int]:
        """The tenants of which a manifest was taken."""
        return frozenset().union(*(result.accepted_tenant_ids for result in self.results))

    @property
    def refused(self) -> list[dict[str, Any]]:
        """Index, tenant, field and reason of what wasn't taken."""
        return [refused for result in self.results for refused in result.refused]

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        totals = manifests.IngestResult().figures()
        for result in self.results:
            for name, count in result.figures().items():
                totals[name] += count
        return {**totals, "changed": len(self.changed_tenant_ids), "failed_sources": len(self.errors)}


@dataclass(frozen=True, slots=True)
class _Page:
    documents: list[Judged]
    cursor: int


def collect(group: Group, *, actor: Actor, at: datetime) -> Collected:
    """Take what each source has had since the last time. One that fails holds no other up.

    What was taken and how far a source was read are one transaction: killed anywhere, nothing is lost, and
    what is read twice changes nothing. Drift isn't looked for here.
    """
    collected = Collected()
    for source in ManifestSource.objects.filter(group=group).order_by("pk"):
        try:
            for page in _pages(source, group):
                collected.results.append(_take(source, group, page, actor=actor, at=at))
        except (SourceFailed, httpx.HTTPError, OSError) as failure:
            collected.errors[str(source)] = str(failure) or type(failure).__name__
            _note(source, collected.errors[str(source)], at)
        else:
            _note(source, "", at)
    return collected


@transaction.atomic
def _take(
    source: ManifestSource, group: Group, page: _Page, *, actor: Actor, at: datetime
) -> manifests.IngestResult:
    result = manifests.ingest(group, page.documents, actor=actor, at=at)
    # Another collection may be further already.
    ManifestSource.objects.filter(pk=source.pk).update(cursor=Greatest(F("cursor"), page.cursor))
    return result


def _note(source: ManifestSource, error: str, at: datetime) -> None:
    ManifestSource.objects.filter(pk=source.pk).update(last_collected_at=at, last_error=error)


def _pages(source: ManifestSource, group: Group) -> Iterator[_Page]:
    if source.kind == ManifestSource.Kind.FOLDER:
        return _folder(Path(source.address), source.cursor)
    if source.kind == ManifestSource.Kind.SANDBOX:
        return _served(settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN, group, source.cursor)
    return _served(source.address, settings.MANIFESTS_TOKEN, group, source.cursor)


def _served(base_url: str, token: str, group: Group, cursor: int) -> Iterator[_Page]:
    """Page after page until there is nothing newer."""
    if not base_url:
        raise SourceFailed("No orchestrator is configured to collect manifests from.")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    while True:
        page = _page(_ask(f"{base_url.rstrip('/')}/manifests", headers, group.slug, cursor))
        if not page.documents:
            return
        if page.cursor <= cursor:
            raise SourceFailed(f"The cursor of {base_url} doesn't move on from {cursor}.")
        cursor = page.cursor
        yield page


@stamina.retry(on=httpx.TransportError, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=2.0)
def _ask(address: str, headers: Mapping[str, str], group: str, cursor: int) -> Any:
    asked: dict[str, str | int] = {"group": group, "since": cursor}
    response = wire.client().get(address, params=asked, headers=headers, timeout=TIMEOUT)
    response.raise_for_status()
    try:
        return response.json()
    except ValueError as error:
        raise SourceFailed(f"{response.url} didn't answer in JSON.") from error


def _page(answer: Any) -> _Page:
    listed = answer.get("manifests") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not isinstance(answer.get("cursor"), int):
        raise SourceFailed("The answer must have a cursor and a list of manifests.")
    return _Page(manifest_formats.read_batch(listed, source=SOURCE), answer["cursor"])


def _folder(folder: Path, cursor: int) -> Iterator[_Page]:
    """The files changed since the newest that was read; one of the same moment is read again."""
    if not folder.is_dir():
        raise SourceFailed(f"{folder} is not a folder.")
    changed = [(path.stat().st_mtime_ns, path) for path in manifest_formats.files_in(folder)]
    for moment, path in sorted(pair for pair in changed if pair[0] >= cursor):
        yield _Page(manifest_formats.read_file(path, Beside(source=SOURCE)), moment)
