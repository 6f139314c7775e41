"""What a rule may say by a slip: it can be done, and hardly anybody means it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from config.texts import nearest
from governance.rules.documents import RuleSpec
from governance.rules.judging import ReleaseFacts, violating
from governance.rules.wishes import STATES, Wish
from governance.versions import InvalidVersion, comparators, scheme, vers

Releases = Sequence[ReleaseFacts]

_NUMBERED = re.compile("[vV]?[0-9]")


def oddities(
    spec: RuleSpec, schemes: Mapping[str, str], releases: Mapping[str, Releases], *, at: datetime
) -> Iterator[tuple[str, str]]:
    """Their places in the document, and why: what is no version for people, what no release fulfils.

    `schemes` are the catalogue's plugins with their dialects, `releases` what there is of `asked_of`.
    """
    known = [plugin for plugin in spec.plugins or () if plugin in schemes]
    for wish, path in spec.wishes:
        reason = _unlike(wish, known, schemes)
        if not reason and _asks_for_release(wish):
            reason = _unfulfilled(wish, known, schemes, releases, at)
        if reason:
            yield f"{path}.{wish.word}", reason


def asked_of(spec: RuleSpec) -> frozenset[str]:
    """The plugins of which it wants some release rather than others."""
    return frozenset(spec.plugins or () if any(_asks_for_release(wish) for wish, _ in spec.wishes) else ())


def _asks_for_release(wish: Wish) -> bool:
    names_version = wish.range_text is not None or wish.version_text is not None
    return wish.kind == "channel" or (names_version and wish.kind != "deny")


def _unlike(wish: Wish, plugins: Iterable[str], schemes: Mapping[str, str]) -> str:
    """Where any text is a version, as for Jenkins, `latest` or `^2.4` would be one below all releases."""
    odd = next((version for version in _named(wish) if not _NUMBERED.match(version)), None)
    plugin = next((one for one in plugins if _takes_any_text(schemes[one])), None)
    if odd is None or plugin is None:
        return ""
    meant = nearest(odd, STATES) if wish.kind == "deny" else None
    either = f" Or did you mean “{meant}”?" if meant else ""
    return f"“{odd}” doesn't begin with a number: is it a version of {plugin}?{either}"


def _unfulfilled(
    wish: Wish,
    plugins: Iterable[str],
    schemes: Mapping[str, str],
    releases: Mapping[str, Releases],
    at: datetime,
) -> str:
    """A version may still come; most often it is mistyped."""
    stuck = [
        plugin
        for plugin in plugins
        if releases.get(plugin) and not _is_fulfilled(wish, schemes[plugin], releases[plugin], at)
    ]
    if not stuck:
        return ""
    if more := len(stuck) - 1:
        return f"there is no release of {stuck[0]} that this allows, nor of {more:,} more"
    newest = max((one.version for one in releases[stuck[0]]), key=scheme(schemes[stuck[0]]).key)
    return f"there is no release of {stuck[0]} that this allows; the newest is {newest}"


def _is_fulfilled(wish: Wish, dialect: str, releases: Releases, at: datetime) -> bool:
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
