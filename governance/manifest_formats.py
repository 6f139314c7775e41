"""The forms in which a manifest may come, each read into the same document.

Plumbline's own JSON: `{"tenant", "host_version"?, "plugins": {name: version} or [{"name", "version"}],
"observed_at"?, "complete"?}`. A CycloneDX SBOM in JSON, and Jenkins' `plugins.txt`, alone or wrapped:
`{"tenant", "sbom": {...}}`, `{"tenant", "host_version", "plugins_txt": "..."}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

LONGEST = 200
_FIELDS = frozenset({"tenant", "host_version", "plugins", "observed_at", "complete", "sbom", "plugins_txt"})
_TENANT_PROPERTY = "plumbline:tenant"
# What plugins.txt has no place for may stand in its comments: `# tenant: crm-eu`.
_REMARK = re.compile(r"#\s*(tenant|host_version|observed_at)\s*:\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """What one tenant runs at one moment; no `observed_at` stands for the moment of its arrival.

    `plugins` is all that the tenant has, the host apart. Where it isn't `complete`, it may leave out plugins
    that are there only because others need them.
    """

    tenant: str
    host_version: str
    plugins: Mapping[str, str]
    observed_at: datetime | None = None
    complete: bool = True
    source: str = "endpoint"


class ManifestRefused(Exception):
    """A manifest that isn't taken: which field is wrong, and why."""

    def __init__(self, field: str, reason: str, *, tenant: str = "") -> None:
        self.field = field
        self.reason = reason
        self.tenant = tenant
        super().__init__(f"{field}: {reason}")


@dataclass(frozen=True, slots=True)
class Beside:
    """What the sender says about a manifest rather than in it; it wins over what stands there."""

    tenant: str = ""
    host_version: str = ""
    source: str = "endpoint"


Judged = ManifestDocument | ManifestRefused


def read_batch(body: object, *, source: str = "endpoint") -> list[Judged]:
    """One manifest, a list of them, or `{"manifests": [...]}`: each is judged by itself."""
    if isinstance(body, dict) and set(body) == {"manifests"}:
        body = body["manifests"]
    listed = body if isinstance(body, list) else [body]
    return [judge(read, one, Beside(source=source)) for one in listed]


def judge(reader: Callable[..., ManifestDocument], *arguments: object) -> Judged:
    """What the reader makes of the arguments, or why it refuses them."""
    try:
        return reader(*arguments)
    except ManifestRefused as refused:
        return refused


def read(document: object, beside: Beside = Beside()) -> ManifestDocument:
    """A manifest in JSON, in any of the forms. Raises ManifestRefused."""
    if not isinstance(document, dict):
        raise ManifestRefused("manifest", "must be an object")
    if "bomFormat" in document:
        return _sbom(document, beside)
    tenant = beside.tenant or document.get("tenant")
    try:
        return _own(document, beside)
    except ManifestRefused as refused:
        refused.tenant = refused.tenant or (tenant if isinstance(tenant, str) else "")
        raise


def files_in(folder: Path) -> list[Path]:
    """The files in a folder, and in those below it, that may hold manifests."""
    return sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".txt"} and path.is_file())


def read_file(path: Path, beside: Beside) -> list[Judged]:
    """The manifests in a file: JSON, one or a batch, or a `plugins.txt`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [ManifestRefused("file", f"{path.name} can't be read: {error}", tenant=beside.tenant)]
    if path.suffix == ".txt":
        return [judge(read_plugins_txt, text, beside)]
    try:
        body = json.loads(text)
    except ValueError as error:
        return [ManifestRefused("file", f"{path.name} isn't JSON: {error}", tenant=beside.tenant)]
    if isinstance(body, list) or (isinstance(body, dict) and set(body) == {"manifests"}):
        return read_batch(body, source=beside.source)
    return [judge(read, body, beside)]


def read_plugins_txt(text: str, beside: Beside) -> ManifestDocument:
    """Jenkins' list of plugins, `name:version` a line. The dependencies of these may be missing from it."""
    told = {match[1]: match[2] for line in text.splitlines() if (match := _REMARK.fullmatch(line.strip()))}
    tenant = _text(beside.tenant or told.get("tenant"), "tenant")
    plugins: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if entry:
            name, version = _pinned(entry, f"line {number}", tenant)
            _add(plugins, name, version, f"line {number}", tenant)
    return ManifestDocument(
        tenant=tenant,
        host_version=_text(beside.host_version or told.get("host_version") or None, "host_version", tenant),
        plugins=plugins,
        observed_at=_moment(told.get("observed_at"), "observed_at", tenant),
        complete=False,
        source=beside.source,
    )


def _pinned(entry: str, place: str, tenant: str) -> tuple[str, str]:
    # A third part is the address to download from, which says nothing about the version.
    name, _, rest = entry.partition(":")
    version = rest.partition(":")[0].strip()
    if not version or version in {"latest", "experimental"} or ";" in version:
        reason = f"“{entry}” must name the version that runs, as in git:5.2.0"
        raise ManifestRefused(place, reason, tenant=tenant)
    return name.strip(), version


def _own(document: Mapping[str, Any], beside: Beside) -> ManifestDocument:
    if unknown := sorted(set(document) - _FIELDS):
        known = ", ".join(sorted(_FIELDS))
        raise ManifestRefused(unknown[0], f"is no field of a manifest; these are: {known}")
    tenant = _text(beside.tenant or document.get("tenant"), "tenant")
    host_version = beside.host_version or document.get("host_version")
    given = Beside(
        tenant,
        "" if host_version is None else _text(host_version, "host_version", optional=True),
        beside.source,
    )
    forms = [name for name in _FORMS if name in document]
    if len(forms) != 1:
        raise ManifestRefused("plugins", "must be given, or sbom or plugins_txt in its place")
    observed_at, complete = _moment(document.get("observed_at"), "observed_at"), document.get("complete")
    if not isinstance(complete, bool | None):
        raise ManifestRefused("complete", "must be true or false")
    found = _FORMS[forms[0]](document[forms[0]], given)
    return replace(
        found,
        observed_at=observed_at or found.observed_at,
        complete=found.complete if complete is None else complete,
    )


def _from_plugins(value: object, beside: Beside) -> ManifestDocument:
    plugins = _plugins(value, beside.tenant)
    return ManifestDocument(beside.tenant, beside.host_version, plugins, source=beside.source)


def _from_sbom(value: object, beside: Beside) -> ManifestDocument:
    if not isinstance(value, dict) or "bomFormat" not in value:
        raise ManifestRefused("sbom", "must be a CycloneDX document")
    return _sbom(value, beside)


def _from_text(value: object, beside: Beside) -> ManifestDocument:
    if not isinstance(value, str):
        raise ManifestRefused("plugins_txt", "must be a text")
    return read_plugins_txt(value, beside)


_FORMS: Mapping[str, Callable[[object, Beside], ManifestDocument]] = {
    "plugins": _from_plugins,
    "sbom": _from_sbom,
    "plugins_txt": _from_text,
}


def _plugins(value: object, tenant: str) -> dict[str, str]:
    plugins: dict[str, str] = {}
    if isinstance(value, dict):
        for name, version in value.items():
            _add(plugins, name, version, f"plugins.{name}", tenant)
    elif isinstance(value, list):
        _add_listed(plugins, value, "plugins", tenant)
    else:
        raise ManifestRefused(
            "plugins", "must be an object of name and version, or a list of both", tenant=tenant
        )
    return plugins


def _add_listed(plugins: dict[str, str], listed: Iterable[object], place: str, tenant: str) -> None:
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            raise ManifestRefused(f"{place}[{index}]", "must have a name and a version", tenant=tenant)
        _add(plugins, item.get("name"), item.get("version"), f"{place}[{index}]", tenant)


def _add(plugins: dict[str, str], name: object, version: object, place: str, tenant: str) -> None:
    name = _text(name, f"{place}.name" if "[" in place else place, tenant)
    version = _text(version, f"{place}.version" if "[" in place else place, tenant)
    if plugins.setdefault(name, version) != version:
        reason = f"“{name}” is at {plugins[name]} already: a tenant runs one version of a plugin"
        raise ManifestRefused(place, reason, tenant=tenant)


def _sbom(document: Mapping[str, Any], beside: Beside) -> ManifestDocument:
    """Its metadata name the host and the time; its components are the plugins.

    CycloneDX says nothing about completeness unless a composition does, so neither does this.
    """
    if document["bomFormat"] != "CycloneDX":
        raise ManifestRefused("bomFormat", "must be CycloneDX", tenant=beside.tenant)
    metadata = _mapping(document.get("metadata"), "metadata", beside.tenant)
    tenant = _text(beside.tenant or _property(metadata, _TENANT_PROPERTY), "tenant")
    host = _mapping(metadata.get("component"), "metadata.component", tenant)
    host_version = beside.host_version or host.get("version") or ""
    components = document.get("components", [])
    if not isinstance(components, list):
        raise ManifestRefused("components", "must be a list", tenant=tenant)
    plugins: dict[str, str] = {}
    _add_listed(plugins, components, "components", tenant)
    return ManifestDocument(
        tenant=tenant,
        host_version=_text(host_version, "metadata.component.version", tenant, optional=True),
        plugins=plugins,
        observed_at=_moment(metadata.get("timestamp"), "metadata.timestamp", tenant),
        complete=_says_complete(document.get("compositions")),
        source=beside.source,
    )


def _says_complete(compositions: object) -> bool:
    if not isinstance(compositions, list) or not compositions:
        return False
    return all(isinstance(one, dict) and one.get("aggregate") == "complete" for one in compositions)


def _property(metadata: Mapping[str, Any], name: str) -> object:
    properties = metadata.get("properties")
    for one in properties if isinstance(properties, list) else []:
        if isinstance(one, dict) and one.get("name") == name:
            return one.get("value")
    return None


def _mapping(value: object, field: str, tenant: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ManifestRefused(field, "must be an object", tenant=tenant)
    return value


def _text(value: object, field: str, tenant: str = "", *, optional: bool = False) -> str:
    if value == "" and optional:
        return ""
    if not isinstance(value, str) or not value.strip():
        raise ManifestRefused(field, "must be given, as a text that isn't empty", tenant=tenant)
    if len(value) > LONGEST or value != value.strip() or not value.isprintable():
        reason = f"must have at most {LONGEST} characters, all printable, and no space around them"
        raise ManifestRefused(field, reason, tenant=tenant)
    return value


def _moment(value: object, field: str, tenant: str = "") -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ManifestRefused(field, "must be an ISO 8601 date and time with its zone", tenant=tenant)
    return moment
