"""What a rule may say by a slip: it can be done, and hardly anybody means it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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

    `schemes` are the catalogue's plugins with their dialects, `versions` what there is of each.
    """
    for plugin in spec.plugins or ():
        if plugin in schemes:
            for wish, path in spec.wishes:
                dialect = schemes[plugin]
                reason = _unlike(wish, dialect, plugin) or _unfulfilled(
                    wish, dialect, plugin, versions.get(plugin, ()), at
                )
                if reason:
                    yield f"{path}.{wish.word}", reason


def _unlike(wish: Wish, dialect: str, plugin: str) -> str:
    """Where any text is a version, as for Jenkins, `latest` or `^2.4` would be one below all releases."""
    for version in _named(wish):
        if not _NUMBERED.match(version) and _takes_any_text(dialect):
            return f"“{version}” doesn't begin with a number: is it a version of {plugin}?"
    return ""


def _unfulfilled(wish: Wish, dialect: str, plugin: str, versions: Collection[str], at: datetime) -> str:
    """A version may still come; most often it is mistyped."""
    if wish.kind == "deny" or not versions or (wish.range_text is None and wish.version_text is None):
        return ""
    releases = (ReleaseFacts(0, version, 0) for version in versions)
    if any(not violating(wish, [release], dialect=dialect, at=at) for release in releases):
        return ""
    newest = max(versions, key=scheme(dialect).key)
    return f"the catalogue has no release of {plugin} that this allows; its newest is {newest}"


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
