"""Replays a case file of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from governance import replaying
from governance.cases import ckan, pinned, plans, smallworlds
from governance.cases.format import Format
from governance.cases.shelf import Shelf
from governance.replaying import BadFile, Case, Outcome

FORMATS: Sequence[Format] = (pinned.FORMAT, ckan.FORMAT, plans.FORMAT, smallworlds.FORMAT)


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
