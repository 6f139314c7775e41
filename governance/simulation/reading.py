"""What a simulation supposes, read from a document and held to what the group has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.db.models import Q

from governance import catalogue, catalogue_formats, moments, policies
from governance.catalogue_formats import CatalogueError
from governance.documents import ConfigurationError, Problem, Source, checking, having, schemas
from governance.documents.checking import Findings
from governance.documents.having import Known
from governance.documents.reading import Place, spelled
from governance.models import Exemption, Plan, Plugin, Policy, Profile, Snapshot
from governance.models.plan import NOT_STARTED
from governance.simulation.supposition import SECTIONS, Supposition, of_document
from tenants.models import Group

FILE = "simulation"
_PAST = timedelta(minutes=1)  # a time so little ago was meant as the present


class NotSupposable(ConfigurationError):
    """What is supposed can't be: a policy of it is wrong, a name is unknown, a time lies in the past."""


def read(group: Group, source: Source, *, at: datetime) -> Supposition:
    """The supposition that the document describes. Raises NotSupposable with all that is wrong."""
    what, _ = look(group, source, at=at)
    return what


def look(group: Group, source: Source, *, at: datetime) -> tuple[Supposition, list[Problem]]:
    """The same, with what is only odd about it."""
    problems = [*schemas.problems(source, schemas.SIMULATION)]
    if isinstance(source.data, dict):
        problems += [problem for entry in _entries(source) for problem in entry]
    if problems:
        raise NotSupposable(list(dict.fromkeys(problems)))  # the schema of the whole looks into entries too
    found = Findings(source, at)
    _check(found, group, source.data)
    if found.problems:
        raise NotSupposable(found.problems)
    return of_document(source.data), found.warnings


def check(group: Group, what: Supposition, *, at: datetime) -> None:
    """Hold a supposition that was put together otherwise to the same. Raises NotSupposable."""
    read(group, Source(FILE, what.as_document()), at=at)


def oddities(group: Group, what: Supposition, *, at: datetime) -> list[str]:
    """What may be a slip, by the name of the policy or exemption that it is in; kept with the answer."""
    what = of_document(what.as_document())  # which says the kind of each
    has = _known(group, what)
    told: list[str] = []
    for document in what.policies:
        found = Findings(Source(document["name"], policies.as_written(document)), at)
        checking.policy(found, (), document, has)
        told += map(str, found.warnings)
    for exemption in what.exemptions:
        found = Findings(Source(exemption["name"], exemption), at)
        checking.exemption(found, (), exemption, has)
        told += map(str, found.warnings)
    return told


def _entries(source: Source) -> Iterator[Iterator[Problem]]:
    """What the schemas say of the entries whose kind stands in themselves, or whose name may be missing."""
    for place, item in _items(source.data, "policies"):
        kind = item.get("kind", Policy.Kind.POLICY)
        if kind not in Policy.Kind.values:
            reason = f"“{kind}” isn't one of {', '.join(Policy.Kind.values)}"
            yield iter([source.problem((*place, "kind"), reason)])
        else:
            yield _schema_problems(source, place, policies.as_written(item), kind)
    for place, item in _items(source.data, "exemptions"):
        yield _schema_problems(source, place, {**item, "name": item.get("name") or "supposed"}, "exemption")


def _schema_problems(
    source: Source, place: Place, document: Mapping[str, Any], definition: str
) -> Iterator[Problem]:
    """The entry's problems, with the places and lines that they have in the whole."""
    depth = len(place)
    lines = {where[depth:]: line for where, line in source.lines.items() if where[:depth] == place}
    inner = Source(source.file, document, lines)
    for problem in schemas.problems(inner, schemas.BASELINES, definition=definition):
        joined = spelled(place) + (f".{problem.place}" if problem.place else "")
        yield replace(problem, place=joined)


def _items(data: Any, section: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    listed = data.get(section)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield (section, index), item


def _check(found: Findings, group: Group, data: Mapping[str, Any]) -> None:
    supposed = of_document(data)
    has = _known(group, supposed)
    names: dict[str, Place] = {}
    for section, kind in SECTIONS.items():
        for place, item in _items(data, section):
            checking.policy(found, place, {**item, "kind": item.get("kind", kind)}, has)
            if item["name"] in names:
                found.refuse((*place, "name"), f"the name “{item['name']}” stands here twice")
            names[item["name"]] = place
    for index, exemption in enumerate(supposed.exemptions):
        checking.exemption(found, ("exemptions", index), exemption, has)
    checking.profiles(found, [dict(profile) for profile in supposed.profiles])
    _check_gone(found, group, supposed)
    _check_catalogue(found, group, supposed)
    _check_time(found, group, supposed)


def _known(group: Group, supposed: Supposition) -> Known:
    """What the group has, and what is supposed beside it."""
    has = having.known(group)
    profiles = {str(profile["name"]): profile for profile in supposed.profiles}
    rows = dict(Profile.objects.filter(group=group).values_list("name", "document"))
    given = {
        item["name"]: (
            item["kind"],
            having.rule_names(item, {**rows, **profiles}.get(item.get("profile", ""), {})),
        )
        for item in supposed.policies
    }
    has = replace(has, profiles=has.profiles | profiles.keys(), policies={**has.policies, **given})
    return having.with_releases(has, group, supposed.releases)


def _check_gone(found: Findings, group: Group, supposed: Supposition) -> None:
    in_force = set(Policy.objects.filter(group=group).in_force().values_list("name", flat=True))
    given = {item["name"] for item in supposed.policies}
    for index, name in enumerate(supposed.retired):
        if name not in in_force:
            found.refuse(("retired", index), checking.unknown("policy in force", name, in_force))
        elif name in given:
            found.refuse(("retired", index), f"“{name}” is supposed to be in force and retired")
    for section, names in (("paused", supposed.paused), ("acting", supposed.acting)):
        for index, name in enumerate(names):
            if name not in in_force | given:
                found.refuse((section, index), checking.unknown("policy in force", name, in_force))
    for index, name in enumerate(supposed.ended):
        if not live_exemptions(group, name).exists():
            names = _live(group).exclude(name="").values_list("name", flat=True)
            found.refuse(("ended", index), checking.unknown("exemption in force", name, names))


def named(group: Group, what: Supposition) -> Supposition:
    """The same with a name for each exemption that has none, and none that another ever had."""
    taken = set(Exemption.objects.filter(group=group).values_list("name", flat=True))
    taken |= {document["name"] for document in what.exemptions if document.get("name")}
    free = (name for name in (f"supposed-{number}" for number in count(1)) if name not in taken)
    exemptions = [{**one, "name": one.get("name") or next(free)} for one in what.exemptions]
    return replace(what, exemptions=exemptions)


def live_exemptions(group: Group, name: str) -> Any:
    """The exemptions that were granted under the name or have the id."""
    chosen = Q(name=name)
    with contextlib.suppress(ValueError):
        chosen |= Q(pk=UUID(name))
    return _live(group).filter(chosen)


def _live(group: Group) -> Any:
    return Exemption.objects.filter(group=group, status=Exemption.Status.APPROVED)


def catalogue_documents(group: Group, supposed: Supposition) -> list[dict[str, Any]]:
    """The supposed releases as the catalogue takes them, each plugin as it is known."""
    known = {
        plugin.name: plugin
        for plugin in Plugin.objects.filter(group=group, name__in=[r["plugin"] for r in supposed.releases])
    }
    by_plugin: dict[str, dict[str, Any]] = {}
    for release in supposed.releases:
        name, plugin = release["plugin"], known.get(release["plugin"])
        scheme = plugin.scheme if plugin else release.get("scheme", group.default_scheme)
        document = by_plugin.setdefault(name, {"plugin": name, "scheme": scheme, "releases": []})
        if plugin is not None:
            document |= {"title": plugin.title, "host": plugin.is_host or None}
        own = {key: value for key, value in release.items() if key not in ("plugin", "scheme")}
        document["releases"].append(own)
    return list(by_plugin.values())


def _check_catalogue(found: Findings, group: Group, supposed: Supposition) -> None:
    for index, release in enumerate(supposed.releases):
        one = replace(supposed, releases=[release])
        try:
            catalogue_formats.read(catalogue_documents(group, one))
        except CatalogueError as error:
            field = error.place.rpartition("releases[0]")[2].strip(".")
            found.refuse(("releases", index, *([field] if field else [])), error.reason)
    wanted = [(one["plugin"], one["version"]) for one in supposed.withdrawn]
    known = catalogue.find_releases(group.pk, wanted)
    for index, (plugin, version) in enumerate(wanted):
        if (plugin, version) not in known:
            found.refuse(("withdrawn", index), _unknown_release(group, plugin, version))


def _unknown_release(group: Group, plugin: str, version: str) -> str:
    plugins = set(Plugin.objects.filter(group=group).values_list("name", flat=True))
    if plugin not in plugins:
        return checking.unknown("plugin", plugin, plugins)
    return f"the catalogue has no release {version} of {plugin}"


def _check_time(found: Findings, group: Group, supposed: Supposition) -> None:
    if supposed.at is not None:
        try:
            moment = moments.starting(supposed.at, at=found.at)
        except moments.MomentError as error:
            found.refuse(("at",), str(error))
        else:
            if moment < found.at - _PAST:
                found.refuse(("at",), "lies in the past; ask about a snapshot to look back")
    _check_plan(found, group, supposed)
    number = supposed.snapshot
    if number is not None and not Snapshot.objects.filter(group=group, number=number).exists():
        found.refuse(("snapshot",), f"there is no snapshot {number}")


def _check_plan(found: Findings, group: Group, supposed: Supposition) -> None:
    if supposed.plan is None:
        return
    plan = Plan.objects.filter(group=group, number=supposed.plan).first()
    if plan is None:
        found.refuse(("plan",), f"there is no plan {supposed.plan}")
    elif plan.status not in NOT_STARTED:
        found.refuse(("plan",), f"{plan} is {plan.get_status_display().lower()} already")
    elif supposed.snapshot is not None:
        found.refuse(("plan",), "is carried out on what the tenants run now, not on a snapshot")
