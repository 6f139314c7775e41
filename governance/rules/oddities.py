"""What a rule may say by a slip: it can be done, and hardly anybody means it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from governance.rules.documents import RuleSpec
from governance.rules.judging import ReleaseFacts, violating
from governance.rules.wishes import Wish
from governance.versions import InvalidVersion, comparators, scheme, vers

_NUMBERED = re.compile("[vV]?[0-9]")


def oddities(
    spec: RuleSpec, schemes: Mapping[str, str], versions: Mapping[str, Collection[str]], *, at: datetime
) -> Iterator[tuple[str, str]]:
    """Their places in the document, and why: what is no version for people, what no release fulfils.

    `schemes` are the catalogue's plugins with their dialects, `versions` what there is of `asked_of`.
    """
    known = [plugin for plugin in spec.plugins or () if plugin in schemes]
    for wish, path in spec.wishes:
        reason = _unlike(wish, known, schemes)
        if not reason and _asks_for_version(wish):
            reason = _unfulfilled(wish, known, schemes, versions, at)
        if reason:
            yield f"{path}.{wish.word}", reason


def asked_of(spec: RuleSpec) -> frozenset[str]:
    """The plugins of which it wants a version."""
    return frozenset(spec.plugins or () if any(_asks_for_version(wish) for wish, _ in spec.wishes) else ())


def _asks_for_version(wish: Wish) -> bool:
    return wish.kind != "deny" and (wish.range_text is not None or wish.version_text is not None)


def _unlike(wish: Wish, plugins: Iterable[str], schemes: Mapping[str, str]) -> str:
    """Where any text is a version, as for Jenkins, `latest` or `^2.4` would be one below all releases."""
    odd = next((version for version in _named(wish) if not _NUMBERED.match(version)), None)
    plugin = next((one for one in plugins if _takes_any_text(schemes[one])), None)
    if odd is None or plugin is None:
        return ""
    return f"“{odd}” doesn't begin with a number: is it a version of {plugin}?"


def _unfulfilled(
    wish: Wish,
    plugins: Iterable[str],
    schemes: Mapping[str, str],
    versions: Mapping[str, Collection[str]],
    at: datetime,
) -> str:
    """A version may still come; most often it is mistyped."""
    stuck = [
        plugin
        for plugin in plugins
        if versions.get(plugin) and not _is_fulfilled(wish, schemes[plugin], versions[plugin], at)
    ]
    if not stuck:
        return ""
    if more := len(stuck) - 1:
        return f"there is no release of {stuck[0]} that this allows, nor of {more:,} more"
    newest = max(versions[stuck[0]], key=scheme(schemes[stuck[0]]).key)
    return f"there is no release of {stuck[0]} that this allows; the newest is {newest}"


def _is_fulfilled(wish: Wish, dialect: str, versions: Iterable[str], at: datetime) -> bool:
    releases = (ReleaseFacts(0, version, 0) for version in versions)
    return any(not violating(wish, [release], dialect=dialect, at=at) for release in releases)


def _takes_any_text(dialect: str) -> bool:
    with suppress(InvalidVersion):
        scheme(dialect).key("latest")
        return True
    return False


def _named(wish: Wish) -> Iterator[str]:
    """The versions in a wish, as far as they stand beside comparators or alone."""
    if wish.version_text is not None:
        yield wish.version_text
    if wish.range_text is not None and not vers.is_vers(wish.range_text):
        with suppress(comparators.Malformed):
            yield from (version for _, version in comparators.split(wish.range_text))
