"""Replays case files against the dialects: what upstream expects, what we answer.

A file holds either `cases` of several kinds, or an order table: for each plugin the versions from the
lowest to the highest, equal ones together.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.versions import InvalidRange, InvalidVersion, Scheme, ranks, scheme
from governance.versions.comparators import TESTS
from governance.versions.replay_variants import (
    NotApplicable,
    composer_comparison,
    composer_normal_form,
    range_contains,
    range_is_valid,
    sort_key,
    vers_parsed,
    vers_validated,
    version_is_valid,
)

Case = Mapping[str, Any]

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
# VERS's table of Maven versions is that of an old Maven 3, with 2-1 < 2.0.a < 2.0.0.a; Maven's own
# ComparableVersionTest now wants 2.0.a < 2-1, and its comparator takes 2.0.a and 2.0.0.a for one version
SUPERSEDED = frozenset(
    {frozenset(("2-1", "2.0.a")), frozenset(("2-1", "2.0.0.a")), frozenset(("2.0.a", "2.0.0.a"))}
)

ORDER_TABLES: Mapping[str, str] = {"hudson.util.VersionNumber": "jenkins", "Ckan.Version": "ckan"}


class BadFile(ValueError):
    """The file is not in a format that can be replayed."""


@dataclass(frozen=True)
class Outcome:
    """How one file went."""

    cases: int
    agree: int
    disagree: list[dict[str, Any]]
    not_applicable: dict[str, int] = field(default_factory=dict)  # reason: how many

    def as_json(self) -> dict[str, Any]:
        """The outcome as `check_versions --json` prints it."""
        return {
            "cases": self.cases,
            "agree": self.agree,
            "not_applicable": sum(self.not_applicable.values()),
            "disagree": self.disagree,
            "why_not_applicable": self.not_applicable,
        }


def read(path: Path) -> Mapping[str, Any]:
    """The JSON of a case file, compressed or not; raises BadFile."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        document = json.loads(content)
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: {error}") from error
    if not isinstance(document, dict) or not ("cases" in document or "order" in document):
        raise BadFile(f"{path}: it holds neither cases nor an order")
    return document


def replay(document: Mapping[str, Any]) -> Outcome:
    """Ask the dialects every question of a case file."""
    agree, disagree, not_applicable = 0, [], dict[str, int]()
    for case in _cases(document):
        try:
            answer = _answer(case)
        except NotApplicable as reason:
            not_applicable[str(reason)] = not_applicable.get(str(reason), 0) + 1
            continue
        if answer == case["expect"]:
            agree += 1
        else:
            disagree.append({**case, "answer": answer})
    count = agree + len(disagree) + sum(not_applicable.values())
    return Outcome(count, agree, disagree, not_applicable)


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
        return None if case.get("expect_failure") else f"refused: {refusal}"
    except (KeyError, TypeError) as error:
        return f"unreadable case: {error!r}"


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
    if dialect.name == "maven" and frozenset(case["versions"]) in SUPERSEDED:
        raise NotApplicable("Maven has since turned this order around")
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
    op = "=" if case["op"] == "==" else case["op"]
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
    "parse": lambda case: vers_parsed(_vers_dialect(case), case),
    "validate": lambda case: vers_validated(_vers_dialect(case), case),
}


def _vers_dialect(case: Case) -> Scheme:
    return _dialect({"scheme": str(case["input"]).removeprefix("vers:").partition("/")[0]})
