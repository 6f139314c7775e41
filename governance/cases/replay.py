"""Replays a case file of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from governance import replaying
from governance.cases import ckan, pinned
from governance.cases.format import Format, Questions
from governance.cases.shelf import Shelf
from governance.replaying import BadFile, Case, Outcome


def _not_supported(_: Mapping[str, Any], shelf: Shelf) -> Questions:
    raise BadFile(f"{shelf.beside}: cases of this kind are not supported yet")


FORMATS: Sequence[Format] = (
    pinned.FORMAT,
    ckan.FORMAT,
    Format("plan", frozenset({"tenants", "universe", "policies"}), _not_supported),
    Format("smallworlds", frozenset({"tenants", "releases", "policies"}), _not_supported),
)


def replay(path: Path, given: Sequence[Path] = ()) -> Outcome:
    """Ask the product every question of a case file; raises BadFile.

    `given` are the catalogue files to go by, before those that lie beside the case file.
    """
    document = replaying.read(path)
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        raise BadFile(f"{path}: it holds no cases")
    if not cases:
        return Outcome(0, 0, [])
    return replaying.tally(*_format(path, cases).questions(document, Shelf(path, given)))


def _format(path: Path, cases: Sequence[Case]) -> Format:
    for known in FORMATS:
        if all(isinstance(case, dict) and "expect" in case and known.fits(case) for case in cases):
            return known
    raise BadFile(f"{path}: its cases are of none of the kinds {', '.join(known.name for known in FORMATS)}")
