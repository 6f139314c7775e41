"""The questions of case files that reach past what a dialect offers by default.

Upstream's tests set options (npm's loose reading, Helm's and PEP 440's pre-releases), or ask a function
that the product has no use for beside the dialect's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.replaying import Case, NotApplicable
from governance.versions import (
    composer_range,
    composer_version,
    helm,
    maven_range,
    npm,
    npm_range,
    pypi,
    semver,
    vers,
)
from governance.versions.comparators import Malformed
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme


def _options(case: Case) -> Mapping[str, Any]:
    return case.get("options") or {}


def sort_key(dialect: Scheme, version: str, case: Case) -> Any:
    """The key of a version, read loosely where the case says so; raises InvalidVersion."""
    if dialect.name == "npm" and _options(case).get("loose"):
        return npm.read(version, loose=True)
    return dialect.key(version)


def version_is_valid(dialect: Scheme, case: Case) -> bool:
    """Tell whether the dialect takes the version."""
    version = case["version"]
    try:
        if dialect.name == "composer":
            composer_version.normalize(version)  # a branch is valid, though in no order
        elif case.get("mode") == "StrictNewVersion":
            helm.read(version)
            semver.Semver().key(version)
        else:
            sort_key(dialect, version, case)
    except InvalidVersion:
        return False
    return True


def range_is_valid(dialect: Scheme, case: Case) -> bool:
    """Tell whether the dialect can read the range."""
    try:
        if case.get("maven4_only"):  # there a version alone is no range, only a wish
            maven_range.read(case["range"], dialect.key)
        else:
            dialect.range(case["range"])
    except (InvalidRange, Malformed):
        return False
    return True


def range_contains(dialect: Scheme, case: Case) -> bool:
    """Tell whether the version is in the range, under the case's options; raises InvalidRange."""
    options, text = _options(case), case["range"]
    try:
        key = sort_key(dialect, case["version"], case)
    except InvalidVersion:
        return False  # as upstream: what is no version satisfies nothing
    if dialect.name == "npm" and options:
        return _npm_range(text, options).contains(key)
    if dialect.name == "helm" and options.get("includePrerelease"):
        return helm.read_range(text, prereleases=True).contains(key)
    if dialect.name == "pypi" and options.get("prereleases") is not None:
        return pypi.read_range(text).contains(key, prereleases=options["prereleases"])
    return dialect.range(text).contains(case["version"])


def _npm_range(text: str, options: Mapping[str, Any]) -> npm_range.Matcher:
    try:
        return npm_range.read(
            text,
            loose=bool(options.get("loose")),
            prereleases=bool(options.get("includePrerelease")),
        )
    except Malformed as error:
        raise InvalidRange(text, str(error)) from error


def composer_comparison(a: str, op: str, b: str) -> bool:
    """Composer's Comparator, which takes versions as they are written."""
    return composer_range.compare(a, op, b, order_branches=True)


def composer_normal_form(dialect: Scheme, case: Case) -> str:
    """The normal form on which the order rests; raises InvalidVersion."""
    if dialect.name != "composer":
        raise NotApplicable(f"“{dialect.name}” has no normal form here")
    return composer_version.normalize(case["version"])


def vers_is_canonical(dialect: Scheme, case: Case) -> Any:
    """The type and constraints of a canonical VERS, or None for one that must be refused."""
    try:
        read = vers.read(case["input"])
        vers.check_canonical(read, dialect.key)
    except (vers.Malformed, InvalidVersion):
        return None
    constraints = [list(constraint) for constraint in read.constraints]
    return {"type": read.type, "constraints": constraints}


def vers_is_valid(dialect: Scheme, case: Case) -> Any:
    """The expected text if the dialect reads the VERS: we only read them, and write none."""
    try:
        dialect.range(case["input"])
    except InvalidRange:
        return None
    return case["expect"] if case["expect"] is not None else case["input"]
