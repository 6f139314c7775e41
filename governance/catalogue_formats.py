"""What a catalogue document says, checked field by field.

A document is one plugin: `{"plugin", "scheme", "title"?, "host"?, "releases": [...], "advisories"?: [...]}`.
Fields that Plumbline has no use for are left alone, so that a registry's own export can be loaded as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from governance import versions
from governance.demands import EVERY

LONGEST = 200


class CatalogueError(Exception):
    """A catalogue that can't be taken. `place` names the field, as in `crm.releases[3].version`."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place}: {reason}")


@dataclass(frozen=True, slots=True)
class ReleaseDocument:
    """One release. `withdrawn` None says nothing, so that a reload doesn't undo a withdrawal."""

    version: str
    channel: str
    released_at: datetime | None
    security_fix: bool
    withdrawn: bool | None
    host_min: str
    host_max: str
    requires: tuple[Mapping[str, Any], ...]
    conflicts: tuple[Mapping[str, Any], ...]
    provides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdvisoryDocument:
    """One security warning. `affects` is a range in the plugin's dialect, or the versions themselves."""

    identifier: str
    title: str
    url: str
    affects: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PluginDocument:
    """One plugin with what is told about its releases. `host` None says nothing."""

    name: str
    scheme: str
    title: str
    host: bool | None
    releases: tuple[ReleaseDocument, ...]
    advisories: tuple[AdvisoryDocument, ...]


def read(documents: object) -> list[PluginDocument]:
    """The documents as they are meant. Raises CatalogueError at the first field that makes no sense."""
    if not isinstance(documents, list):
        raise CatalogueError("catalogue", "must be a list of plugins")
    plugins = [_plugin(document, f"[{index}]") for index, document in enumerate(documents)]
    seen: set[str] = set()
    for index, plugin in enumerate(plugins):
        if plugin.name in seen:
            raise CatalogueError(f"[{index}].plugin", f"“{plugin.name}” has a document already")
        seen.add(plugin.name)
    return plugins


def check_ranges(plugins: Sequence[PluginDocument], schemes: Mapping[str, str], host: str) -> None:
    """Raise CatalogueError where a range or a host bound can't be read in the dialect of what it speaks of.

    `schemes` are the dialects by plugin name; a name that nobody knows is read in the dialect of the release
    which names it. The bounds of a host that isn't known yet say nothing.
    """
    for plugin in plugins:
        for index, release in enumerate(plugin.releases):
            place = f"{plugin.name}.releases[{index}]"
            for kind, relations in (("requires", release.requires), ("conflicts", release.conflicts)):
                for number, relation in enumerate(relations):
                    for one in relation.get("any_of", (relation,)):
                        scheme = schemes.get(one["plugin"], plugin.scheme)
                        range_(one["range"], f"{place}.{kind}[{number}].range", scheme)
            for bound in ("host_min", "host_max"):
                if host in schemes and (text := getattr(release, bound)):
                    version(text, f"{place}.{bound}", schemes[host])


def _plugin(document: object, place: str) -> PluginDocument:
    found = _object(document, place)
    name = text(found, "plugin", place)
    scheme = text(found, "scheme", name)
    try:
        versions.scheme(scheme)
    except versions.UnknownScheme as error:
        raise CatalogueError(f"{name}.scheme", str(error)) from error
    host = found.get("host")
    return PluginDocument(
        name=name,
        scheme=scheme,
        title=text(found, "title", name, required=False),
        host=None if host is None else flag(found, "host", name),
        releases=_releases(_list(found, "releases", name), name, scheme),
        advisories=tuple(
            _advisory(advisory, f"{name}.advisories[{index}]", scheme)
            for index, advisory in enumerate(_list(found, "advisories", name))
        ),
    )


def _releases(listed: Sequence[object], name: str, scheme: str) -> tuple[ReleaseDocument, ...]:
    releases: dict[str, ReleaseDocument] = {}
    for index, item in enumerate(listed):
        place = f"{name}.releases[{index}]"
        release = _release(item, place, scheme)
        if releases.setdefault(release.version, release) != release:
            raise CatalogueError(f"{place}.version", f"“{release.version}” is described twice, differently")
    return tuple(releases.values())


def _release(item: object, place: str, scheme: str) -> ReleaseDocument:
    found = _object(item, place)
    return ReleaseDocument(
        version=version(text(found, "version", place), f"{place}.version", scheme),
        channel=text(found, "channel", place, required=False)[:40],
        released_at=_moment(found, "released_at", place),
        security_fix=flag(found, "security_fix", place),
        withdrawn=None if found.get("withdrawn") is None else flag(found, "withdrawn", place),
        host_min=text(found, "host_min", place, required=False),
        host_max=text(found, "host_max", place, required=False),
        requires=tuple(
            _requirement(wanted, f"{place}.requires[{index}]")
            for index, wanted in enumerate(_list(found, "requires", place))
        ),
        conflicts=tuple(
            _relation(refused, f"{place}.conflicts[{index}]")
            for index, refused in enumerate(_list(found, "conflicts", place))
        ),
        provides=_provides(found, place),
    )


def _requirement(item: object, place: str) -> Mapping[str, Any]:
    found = _object(item, place)
    if "any_of" not in found:
        wanted = dict(_relation(found, place))
    else:
        choices = _list(found, "any_of", place)
        if not choices:
            raise CatalogueError(f"{place}.any_of", "must name at least one plugin")
        wanted = {
            "any_of": [_relation(one, f"{place}.any_of[{number}]") for number, one in enumerate(choices)]
        }
    if flag(found, "optional", place):
        wanted["optional"] = True
    return wanted


def _relation(item: object, place: str) -> Mapping[str, Any]:
    found = _object(item, place)
    return {
        "plugin": text(found, "plugin", place),
        "range": text(found, "range", place, required=False),
    }


def _provides(found: Mapping[str, Any], place: str) -> tuple[str, ...]:
    names = _list(found, "provides", place)
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise CatalogueError(f"{place}.provides[{index}]", "must be the name of a plugin")
    return tuple(map(str, names))


def _advisory(item: object, place: str, scheme: str) -> AdvisoryDocument:
    found = _object(item, place)
    identifier = text(found, "id", place)
    return AdvisoryDocument(
        identifier=identifier[:100],
        title=text(found, "title", place, required=False)[:500] or identifier,
        url=text(found, "url", place, required=False),
        affects=_affects(found.get("affects"), f"{place}.affects", scheme),
    )


def _affects(value: object, place: str, scheme: str) -> str | tuple[str, ...]:
    if isinstance(value, str) and value.strip():
        return range_(value, place, scheme)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CatalogueError(place, "must be a range, or a list of versions")
    return tuple(version(item, f"{place}[{index}]", scheme) for index, item in enumerate(value))


def version(text: str, place: str, scheme: str) -> str:
    """The text if its dialect can order it."""
    try:
        versions.scheme(scheme).key(text)
    except versions.InvalidVersion as error:
        raise CatalogueError(place, str(error)) from error
    return text


def range_(text: str, place: str, scheme: str) -> str:
    """The text if its dialect can read it as a range, or if it names every version in any dialect."""
    try:
        if text.strip() not in EVERY:
            versions.scheme(scheme).range(text)
    except versions.InvalidRange as error:
        raise CatalogueError(place, str(error)) from error
    return text


def text(found: Mapping[str, Any], name: str, place: str, *, required: bool = True) -> str:
    """A field that holds a text; where it may be missing, null counts as missing."""
    value = found.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise CatalogueError(f"{place}.{name}", "must be a text that isn't empty")
    if len(value) > LONGEST or "\x00" in value:
        raise CatalogueError(f"{place}.{name}", f"must have at most {LONGEST} characters, and no NUL")
    return value


def flag(found: Mapping[str, Any], name: str, place: str) -> bool:
    """A field that holds true or false; missing and null are false."""
    value = found.get(name)
    if value not in (None, True, False):
        raise CatalogueError(f"{place}.{name}", "must be true or false")
    return bool(value)


def _moment(found: Mapping[str, Any], name: str, place: str) -> datetime | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise CatalogueError(f"{place}.{name}", "must be an ISO 8601 date, with or without a time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _object(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CatalogueError(place, "must be an object")
    return value


def _list(found: Mapping[str, Any], name: str, place: str) -> Sequence[object]:
    value = found.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise CatalogueError(f"{place}.{name}", "must be a list")
    return value
