"""Which manifests are taken, and why the others aren't."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Subquery

from governance import catalogue, versions
from governance.manifest_formats import Judged, ManifestDocument, ManifestRefused
from governance.models import Plugin
from tenants.models import Group, Tenant

# Clocks differ; a manifest from further ahead would stay the current one, whatever the tenant sends later.
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A manifest that is fit to be stored, with its place in the batch."""

    index: int
    tenant: Tenant
    observed_at: datetime
    digest: str
    document: ManifestDocument
    wanted: tuple[catalogue.Wanted, ...]  # the host's name and version with the others'

    @property
    def identity(self) -> tuple[int, datetime, str]:
        """What makes two manifests the same one."""
        return self.tenant.pk, self.observed_at, self.digest


@dataclass(slots=True)
class Admission:
    """The two kinds of a batch's manifests; the refused ones with their places in the batch.

    `known` are the releases that the admitted ones name and that exist.
    """

    admitted: list[Admitted] = field(default_factory=list)
    refused: list[tuple[int, ManifestRefused]] = field(default_factory=list)
    known: dict[catalogue.Wanted, catalogue.Found] = field(default_factory=dict)


def admit(group: Group, documents: Sequence[Judged], *, at: datetime) -> Admission:
    """Judge each manifest by itself; the rows of their tenants are locked until the transaction ends."""
    world = _World.of(group, documents)
    admission = Admission()
    for index, document in enumerate(documents):
        try:
            admission.admitted.append(_admit(index, document, world, at=at))
        except ManifestRefused as refused:
            admission.refused.append((index, refused))
    _refuse_unordered(group, admission, world)
    return admission


def digest_of(host_version: str, plugins: Mapping[str, str]) -> str:
    """SHA-256 of the canonical JSON of host version and plugins."""
    content = {"host_version": host_version, "plugins": dict(plugins)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _World:
    """What a manifest is judged against."""

    tenants: Mapping[str, Tenant]
    host: str

    @classmethod
    def of(cls, group: Group, documents: Iterable[Judged]) -> _World:
        keys = {document.tenant for document in documents if isinstance(document, ManifestDocument)}
        hosts = Plugin.objects.filter(group=group, is_host=True).values("name")
        rows = (
            Tenant.objects.filter(group=group, key__in=keys).order_by("pk").annotate(host=Subquery(hosts[:1]))
        )
        tenants = {tenant.key: tenant for tenant in rows.select_for_update(no_key=True, of=("self",))}
        # Each has it; but for the type checker no tenant does.
        host = next((getattr(tenant, "host", None) for tenant in tenants.values()), None)
        return cls(tenants, host or group.host_name)


def _admit(index: int, document: Judged, world: _World, *, at: datetime) -> Admitted:
    if isinstance(document, ManifestRefused):
        raise document
    key = document.tenant
    tenant = world.tenants.get(key)
    if tenant is None:
        raise ManifestRefused("tenant", f"the group has no tenant “{key}”", tenant=key)
    if not tenant.active:
        raise ManifestRefused("tenant", f"“{key}” takes no part any more", tenant=key)
    if world.host in document.plugins:
        reason = "is the host; its version belongs in host_version"
        raise ManifestRefused(f"plugins.{world.host}", reason, tenant=key)
    observed_at = (document.observed_at or at).astimezone(UTC)
    if observed_at > at + TOLERANCE:
        reason = f"{observed_at.isoformat()} lies in the future by more than five minutes"
        raise ManifestRefused("observed_at", reason, tenant=key)
    return Admitted(
        index=index,
        tenant=tenant,
        observed_at=observed_at,
        digest=digest_of(document.host_version, document.plugins),
        document=document,
        wanted=_wanted(document, world.host),
    )


def _wanted(document: ManifestDocument, host: str) -> tuple[catalogue.Wanted, ...]:
    on_host = ((host, document.host_version),) if document.host_version else ()
    return (*on_host, *document.plugins.items())


def _refuse_unordered(group: Group, admission: Admission, world: _World) -> None:
    """Refuse what names a version that its dialect can't order. Known releases have been ordered before."""
    wanted = {pair for manifest in admission.admitted for pair in manifest.wanted}
    admission.known = catalogue.find_releases(group.pk, wanted)
    bad = _unordered(group, wanted - admission.known.keys())
    if not bad:
        return
    kept: list[Admitted] = []
    for manifest in admission.admitted:
        name = next((pair for pair in manifest.wanted if pair in bad), None)
        if name is None:
            kept.append(manifest)
            continue
        field_name = "host_version" if name[0] == world.host else f"plugins.{name[0]}"
        refused = ManifestRefused(field_name, bad[name], tenant=manifest.tenant.key)
        admission.refused.append((manifest.index, refused))
    admission.admitted = kept
    admission.refused.sort(key=lambda pair: pair[0])


def _unordered(group: Group, unknown: Collection[catalogue.Wanted]) -> dict[catalogue.Wanted, str]:
    names = {name for name, _ in unknown}
    plugins = Plugin.objects.filter(group=group, name__in=names) if names else Plugin.objects.none()
    schemes = dict(plugins.values_list("name", "scheme"))
    bad: dict[catalogue.Wanted, str] = {}
    for name, version in unknown:
        scheme = schemes.get(name, group.default_scheme)
        try:
            versions.scheme(scheme).key(version)
        except versions.InvalidVersion as error:
            bad[name, version] = f"{error} (dialect: {scheme})"
    return bad
