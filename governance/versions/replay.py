"""Replays case files against the dialects: what upstream expects, what we answer.

A file holds either `cases` of several kinds, or an order table: for each plugin the versions from the
lowest to the highest, equal ones together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from governance import replaying
from governance.replaying import BadFile, Case, NotApplicable, Outcome, Refused
from governance.versions import InvalidRange, InvalidVersion, Scheme, ranks, scheme
from governance.versions.comparators import TESTS
from governance.versions.replay_variants import (
    composer_comparison,
    composer_normal_form,
    range_contains,
    range_is_valid,
    sort_key,
    vers_parsed,
    vers_validated,
    version_is_valid,
)

# What the case files call the dialects; one that is not here is not offered.
DIALECTS: Mapping[str, str] = {
    "npm-semver": "npm",
    "npm + SimpleSpec": "npm",
    "npm": "npm",
    "semver2": "semver",
    "semver": "semver",
    "masterminds(helm)": "helm",
    "pep440": "pypi",
    "pypi": "pypi",
    "maven": "maven",
    "composer": "composer",
    "jenkins": "jenkins",
    "ckan": "ckan",
    "generic": "generic",
}
# VERS's table of Maven versions is that of an old Maven 3, with 2-1 < 2.0.a < 2.0.0.a. These pairs can't be
# ordered as both it and Maven itself want; the reason is part of the answer.
_TURNED = "Maven’s own ComparableVersionTest now lists 2.0.a, the same as 2.0.0.a, before 2-1"
SUPERSEDED: Mapping[frozenset[str], str] = {
    frozenset(("2-1", "2.0.a")): _TURNED,
    frozenset(("2-1", "2.0.0.a")): _TURNED,
    frozenset(("2.0.a", "2.0.0.a")): "Maven’s own ComparableVersion takes 2.0.a and 2.0.0.a for one version",
}

ORDER_TABLES: Mapping[str, str] = {"hudson.util.VersionNumber": "jenkins", "Ckan.Version": "ckan"}


def read(path: Path) -> Mapping[str, Any]:
    """What a case file holds; raises BadFile."""
    document = replaying.read(path)
    if not isinstance(document, dict) or not ("cases" in document or "order" in document):
        raise BadFile(f"{path}: it holds neither cases nor an order")
    return document


def replay(document: Mapping[str, Any]) -> Outcome:
    """Ask the dialects every question of a case file."""
    return replaying.tally(_cases(document), _answer)


def _cases(document: Mapping[str, Any]) -> Iterator[Case]:
    if "order" in document:
        dialect = _order_dialect(str(document.get("comparator", "")))
        for plugin, order in document["order"].items():
            yield {"kind": "order", "scheme": dialect, "plugin": plugin, "expect": order}
        return
    for case in document["cases"]:
        yield {"scheme": document.get("scheme", ""), **case}


def _order_dialect(comparator: str) -> str:
    return next(
        (dialect for name, dialect in ORDER_TABLES.items() if comparator.startswith(name)), comparator
    )


def _answer(case: Case) -> Any:
    kind = case["kind"]
    if kind not in ANSWERS:
        raise NotApplicable(f"no product feature needs “{kind}”")
    try:
        return ANSWERS[kind](case)
    except (InvalidVersion, InvalidRange) as refusal:
        if case.get("expect_failure"):
            return None
        raise Refused(refusal) from refusal
    except (KeyError, TypeError) as error:
        raise Refused(f"unreadable case: {error!r}") from error


def _dialect(case: Case) -> Scheme:
    name = case.get("dialect") or case["scheme"]
    if name not in DIALECTS:
        raise NotApplicable(f"the dialect “{name}” is not offered")
    return scheme(DIALECTS[name])


def _order(case: Case) -> list[list[str]]:
    """The versions by their ranks, equal ones together; those as they are listed, which says nothing."""
    listed = [version for equals in case["expect"] for version in equals]
    ranked = ranks(_dialect(case).name, listed)
    found: list[list[str]] = [[] for _ in set(ranked.values())]
    for version in listed:
        found[ranked[version]].append(version)
    return found


def _sort(case: Case) -> list[str]:
    """The versions in our order. Different texts that we call equal come as upstream does not want them."""
    dialect = _dialect(case)
    if dialect.name == "maven" and (reason := SUPERSEDED.get(frozenset(case["versions"]))):
        raise NotApplicable(reason)
    place = {version: at for at, version in enumerate(case["expect"])}
    # backwards: a stable sort of what is already in order would hide an order that isn't strict
    backwards = sorted(case["versions"], key=lambda version: place.get(version, 0), reverse=True)
    return sorted(backwards, key=dialect.key)


def _compare(case: Case) -> int:
    dialect = _dialect(case)
    if _loose(case):
        a, b = sort_key(dialect, case["a"], case), sort_key(dialect, case["b"], case)
        return int(b < a) - int(a < b)
    return dialect.compare(case["a"], case["b"])


def _loose(case: Case) -> bool:
    return bool((case.get("options") or {}).get("loose"))


def _compare_by_operator(case: Case) -> bool:
    dialect = _dialect(case)
    op: str = {"==": "=", "<>": "!="}.get(case["op"]) or case["op"]
    if dialect.name == "composer":
        return composer_comparison(case["a"], op, case["b"])
    return TESTS[op](dialect.compare(case["a"], case["b"]), 0)


def _satisfies(case: Case) -> bool:
    if str(case["range"]).startswith("vers:"):
        kind = str(case["range"]).removeprefix("vers:").partition("/")[0]
        return _dialect({"scheme": kind}).range(case["range"]).contains(case["version"])
    return range_contains(_dialect(case), case)


ANSWERS: Mapping[str, Callable[[Case], Any]] = {
    "order": _order,
    "sort": _sort,
    "compare": _compare,
    "cmp_op": _compare_by_operator,
    "equal": lambda case: _dialect(case).compare(case["a"], case["b"]) == 0,
    "valid": lambda case: version_is_valid(_dialect(case), case),
    "range_valid": lambda case: range_is_valid(_dialect(case), case),
    "satisfies": _satisfies,
    "normalize": lambda case: composer_normal_form(_dialect(case), case),
    "parse": lambda case: vers_parsed(_vers_dialect, case),
    "validate": lambda case: vers_validated(_vers_dialect(case), case),
}


def _vers_dialect(case: Case) -> Scheme:
    return _dialect({"scheme": str(case["input"]).removeprefix("vers:").partition("/")[0]})
