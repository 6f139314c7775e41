"""The questions of case files that reach past what a dialect offers by default.

Upstream's tests set options (npm's loose reading, Helm's and PEP 440's pre-releases), or ask a function
that the product has no use for beside the dialect's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from governance.versions.precedence import Key
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme


def _options(case: Case) -> Mapping[str, Any]:
    return case.get("options") or {}


def sort_key(dialect: Scheme, version: object, case: Case) -> Any:
    """The key of a version, read loosely where the case says so; raises InvalidVersion."""
    text = _text(version)
    if dialect.name == "npm" and _options(case).get("loose"):
        return npm.read(text, loose=True)
    return dialect.key(text)


def _text(version: object) -> str:
    """Upstream's tests also ask of what is no text, which is never a version."""
    if not isinstance(version, str):
        raise InvalidVersion(str(version), "it is no text")
    return version


def version_is_valid(dialect: Scheme, case: Case) -> bool:
    """Tell whether the dialect takes the version."""
    version = case["version"]
    try:
        if dialect.name == "composer":
            composer_version.normalize(_text(version))  # a branch is valid, though in no order
        elif case.get("mode") == "StrictNewVersion":
            helm.read(_text(version))
            semver.Semver().key(version)
        else:
            key = sort_key(dialect, version, case)
            return "parsed" not in case or _is_parsed_as(key, case["parsed"])
    except InvalidVersion:
        return False
    return True


def _is_parsed_as(key: Key, parsed: Mapping[str, Any]) -> bool:
    """Tell whether a semantic version's key holds the numbers and identifiers that upstream finds in it."""
    numbers = [parsed["major"], parsed["minor"], parsed["patch"]]
    identifiers = [word or number for _, number, word in key[3][1:]]
    return [*key[:3]] == numbers and identifiers == parsed["prerelease"]


def range_is_valid(dialect: Scheme, case: Case) -> bool:
    """Tell whether upstream can read the range, without what Plumbline's simple form adds."""
    text = case["range"]
    try:
        if case.get("maven4_only"):  # there a version alone is no range, only a wish
            maven_range.read(text, dialect.key)
        elif dialect.name in NATIVE:
            NATIVE[dialect.name](text, _options(case))
        else:
            dialect.range(text)
    except (InvalidRange, Malformed):
        return False
    return True


def range_contains(dialect: Scheme, case: Case) -> bool:
    """Tell whether the version is in the range, under the case's options; raises InvalidRange."""
    try:
        return _contains(dialect, case)
    except InvalidRange:
        if dialect.name == "npm":  # as upstream: nothing satisfies what is no range, where others throw
            return False
        raise


def _contains(dialect: Scheme, case: Case) -> bool:
    options, text = _options(case), case["range"]
    if dialect.name == "pypi" and (
        options.get("prereleases") is not None or not version_is_valid(dialect, case)
    ):
        # what no policy can ask for; and === compares even what is no version
        return pypi.read_range(text).contains(str(case["version"]), prereleases=options.get("prereleases"))
    found: npm_range.Matcher | helm.Matcher
    if dialect.name == "npm" and options:
        found = _npm_range(text, options)
    elif dialect.name == "helm" and options.get("includePrerelease"):
        found = helm.read_range(text, prereleases=True)
    else:
        return _dialect_contains(dialect, text, case["version"])
    try:
        return found.contains(sort_key(dialect, case["version"], case))
    except InvalidVersion:
        return False  # as upstream: what is no version satisfies nothing


def _dialect_contains(dialect: Scheme, text: str, version: object) -> bool:
    found = dialect.range(text)
    try:
        return found.contains(_text(version))
    except InvalidVersion:
        return False


def _npm_range(text: str, options: Mapping[str, Any], *, simple: bool = True) -> npm_range.Matcher:
    try:
        return npm_range.read(
            text,
            loose=bool(options.get("loose")),
            prereleases=bool(options.get("includePrerelease")),
            simple=simple,
            number=float,
        )
    except Malformed as error:
        raise InvalidRange(text, str(error)) from error


NATIVE: Mapping[str, Callable[[str, Mapping[str, Any]], object]] = {
    "semver": lambda text, _options: npm_range.read(text, simple=False),
    "npm": lambda text, options: _npm_range(text, options, simple=False),
    "helm": lambda text, _options: helm.read_range(text, simple=False),
    "pypi": lambda text, _options: pypi.read_native(text),
}


def composer_comparison(a: str, op: str, b: str) -> bool:
    """Composer's Comparator, which takes versions as they are written."""
    return composer_range.compare(a, op, b, order_branches=True)


def composer_normal_form(dialect: Scheme, case: Case) -> str:
    """The normal form on which the order rests; raises InvalidVersion."""
    if dialect.name != "composer":
        raise NotApplicable(f"“{dialect.name}” has no normal form here")
    return composer_version.normalize(case["version"])


def vers_parsed(dialect_of: Callable[[Case], Scheme], case: Case) -> dict[str, Any] | None:
    """The type and constraints of a canonical VERS, or None for one that must be refused.

    What is badly written is so in every type, offered or not; to say that it is well takes the dialect.
    """
    try:
        read = vers.read(case["input"])
        vers.check_canonical(read, lambda version: dialect_of(case).key(version))
    except (vers.Malformed, InvalidVersion):
        return None
    dialect_of(case)
    constraints = [list(constraint) for constraint in read.constraints]
    return {"type": read.type, "constraints": constraints}


def vers_validated(dialect: Scheme, case: Case) -> str | None:
    """The text of a VERS that the dialect reads, in version order, or None."""
    try:
        dialect.range(case["input"])
        return vers.write(vers.read(case["input"]), dialect.key)
    except InvalidRange:
        return None
