"""The YAML files as a whole: found, read, checked against the groups that they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.configuration import directories
from governance.documents import ConfigurationError, Problem, Source, checking, having, parse, read, schemas
from governance.documents.checking import Findings
from governance.documents.having import Known
from tenants.models import Group

BASELINES = "multi_tenant_baselines.yaml"
PROFILES = "policy_profiles.yaml"
DIRECTORY = "directory.yaml"
NAMES = (PROFILES, BASELINES, DIRECTORY)
# Section of a group, and the kind of policy that its entries are.
KINDS = {"baselines": "baseline", "policies": "policy", "holds": "hold"}


@dataclass(frozen=True, slots=True)
class Files:
    """What the files want. Each may be missing: what isn't spoken of is left alone."""

    baselines: Source | None = None
    profiles: Source | None = None
    directory: Source | None = None
    warnings: tuple[Problem, ...] = ()

    def section(self, slug: str) -> dict[str, Any]:
        """What the files want of a group."""
        groups = self.baselines.data["groups"] if self.baselines else {}
        section: dict[str, Any] = groups.get(slug) or {}
        return section

    def responsible(self, slug: str) -> dict[str, Any] | None:
        """What the files say of who is responsible in a group."""
        return self.directory.data["directory"].get(slug) if self.directory else None

    def policies(self, slug: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """The group's policies of all kinds as documents, with the section and place of each."""
        for section, kind in KINDS.items():
            for index, item in enumerate(self.section(slug).get(section, [])):
                yield section, index, {**item, "kind": kind}

    def profile_documents(self) -> list[dict[str, Any]]:
        """The profiles."""
        return list(self.profiles.data["profiles"]) if self.profiles else []


def load(*paths: Path) -> Files:
    """Files, or the folder of them, read and checked by their schemas. Raises ConfigurationError."""
    files = Files()
    for path in paths:
        if path.is_dir():
            present = [path / name for name in NAMES if (path / name).exists()]
            if not present:
                reason = f"has none of {', '.join(NAMES)}"
                raise ConfigurationError([Problem(str(path), 0, "", reason)])
            files = _merge(files, *(read(one) for one in present))
        else:
            files = _merge(files, read(path))
    return files


def load_text(text: str, *, file: str) -> Files:
    """A text of YAML, checked by its schema. Raises ConfigurationError."""
    return _merge(Files(), parse(text, file=file))


def groups_of(files: Files, slugs: Sequence[str] = ()) -> list[Group]:
    """The groups that the files speak of, or those of them that are named. Raises ConfigurationError."""
    named = list(files.baselines.data["groups"]) if files.baselines else []
    if files.directory:
        named += [slug for slug in files.directory.data["directory"] if slug not in named]
    rows = {group.slug: group for group in Group.objects.order_by("pk")}
    if not named:
        named = list(slugs or rows)
    problems: list[Problem] = []
    for slug in slugs or named:
        source = files.baselines or files.directory or files.profiles or Source("", None)
        if slug not in rows:
            problems.append(_unknown_group(files, source, slug, rows))
        elif slug not in named:
            problems.append(source.problem(("groups",), f"says nothing of the group “{slug}”"))
    if problems:
        raise ConfigurationError(problems)
    return [rows[slug] for slug in slugs or named]


def _unknown_group(files: Files, source: Source, slug: str, rows: dict[str, Group]) -> Problem:
    reason = checking.unknown("group", slug, rows)
    if files.directory and ("directory", slug) in files.directory.lines and not files.section(slug):
        return files.directory.problem(("directory", slug), reason)
    return source.problem(("groups", slug), reason)


def checked(
    files: Files, groups: Sequence[Group], *, at: datetime, releases: Sequence[Mapping[str, Any]] = ()
) -> Files:
    """The files with their warnings, checked against what the groups have. Raises ConfigurationError.

    `releases` are supposed to come.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    if files.profiles:
        found = Findings(files.profiles, at)
        checking.profiles(found, files.profile_documents())
        problems += found.problems
    for group in groups:
        if files.baselines:
            found = _check_group(files, files.baselines, group, at, releases)
            problems += found.problems
            warnings += found.warnings
        if files.directory:
            found = Findings(files.directory, at)
            has = _known_with(files, group, [document for _, _, document in files.policies(group.slug)])
            place = ("directory", group.slug)
            directories.check(found, place, files.responsible(group.slug) or {}, has)
            problems += found.problems
            warnings += found.warnings
    if problems:
        raise ConfigurationError(problems)
    return replace(files, warnings=tuple(warnings))


def _check_group(
    files: Files, source: Source, group: Group, at: datetime, releases: Sequence[Mapping[str, Any]]
) -> Findings:
    found = Findings(source, at)
    documents = list(files.policies(group.slug))
    _check_names(found, group.slug, documents)
    has = _known_with(files, group, [document for _, _, document in documents])
    has = having.with_releases(has, group, releases)
    for section, index, document in documents:
        checking.policy(found, ("groups", group.slug, section, index), document, has)
    checking.freezes(found, ("groups", group.slug, "freezes"), files.section(group.slug).get("freezes", []))
    exemptions = files.section(group.slug).get("exemptions", [])
    checking.unique(found, ("groups", group.slug, "exemptions"), exemptions)
    for index, document in enumerate(exemptions):
        checking.exemption(found, ("groups", group.slug, "exemptions", index), document, has)
    return found


def _check_names(found: Findings, slug: str, documents: list[tuple[str, int, dict[str, Any]]]) -> None:
    """Baselines, policies and holds share their names, so that one is enough to find one."""
    seen: dict[str, int] = {}
    for section, index, document in documents:
        place = ("groups", slug, section, index, "name")
        name = document["name"]
        if name in seen:
            found.refuse(place, f"the name “{name}” stands here twice, first in line {seen[name]}")
        seen.setdefault(name, found.source.problem(place, "").line)


def _known_with(files: Files, group: Group, documents: list[dict[str, Any]]) -> Known:
    """What the group has and what the files give it."""
    has = having.known(group)
    profiles = {item["name"]: item for item in files.profile_documents()}
    given = {
        item["name"]: (item["kind"], having.rule_names(item, profiles.get(item.get("profile", ""), {})))
        for item in documents
    }
    return replace(has, profiles=has.profiles | profiles.keys(), policies={**has.policies, **given})


# What a file speaks of, by the key that only it has: its place among the files, and its schema.
_SORTS = (
    ("profiles", "profiles", schemas.PROFILES),
    ("directory", "directory", schemas.DIRECTORY),
    ("groups", "baselines", schemas.BASELINES),
)


def _merge(files: Files, *sources: Source) -> Files:
    for source in sources:
        keys = source.data if isinstance(source.data, dict) else {}
        key, place, schema = next((sort for sort in _SORTS if sort[0] in keys), _SORTS[-1])
        if problems := list(schemas.problems(source, schema)):
            raise ConfigurationError(problems)
        taken = {"profiles": files.profiles, "directory": files.directory, "baselines": files.baselines}[
            place
        ]
        if taken is not None:
            reason = f"{taken.file} speaks of {'the directory' if place == 'directory' else key} already"
            raise ConfigurationError([Problem(source.file, 0, "", reason)])
        files = replace(files, **{place: source})  # type: ignore[arg-type]  # each place is a source's
    return files
