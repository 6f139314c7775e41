"""Replaying files of cases: what was expected, what the product answers, and how the two compare."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Case = Mapping[str, Any]


class BadFile(ValueError):
    """The file is not in a format that can be replayed."""


class NotApplicable(Exception):
    """The case asks what isn't offered; says why in words."""


class Refused(Exception):
    """The case can't be answered because something in it makes no sense; says what in words."""


@dataclass(frozen=True)
class Outcome:
    """How one file went. `agree_on` counts by what was asked, where a case asks several things."""

    cases: int
    agree: int
    disagree: list[dict[str, Any]]
    not_applicable: dict[str, int] = field(default_factory=dict)  # reason: how many
    agree_on: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The outcome as the commands print it with `--json`."""
        return {
            "cases": self.cases,
            "agree": self.agree,
            "not_applicable": sum(self.not_applicable.values()),
            "disagree": self.disagree,
            "why_not_applicable": self.not_applicable,
            **({"agree_on": self.agree_on} if self.agree_on else {}),
        }


def read(path: Path) -> Any:
    """The JSON of a file, compressed or not; raises BadFile."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return json.loads(content)
    except (OSError, EOFError, ValueError) as error:
        raise BadFile(f"{path}: {error}") from error


def tally(cases: Iterable[Case], answer: Callable[[Case], Any]) -> Outcome:
    """Ask every case and compare with what it expects."""
    agree, disagree, not_applicable = 0, [], Counter[str]()
    agree_on = Counter[str]()
    for case in cases:
        try:
            found = answer(case)
        except NotApplicable as reason:
            not_applicable[str(reason)] += 1
            continue
        except Refused as refusal:
            found = f"refused: {refusal}"
        if found == case["expect"]:
            agree += 1
        else:
            disagree.append({**case, "answer": found})
        agree_on.update(_agreements(found, case["expect"]))
    count = agree + len(disagree) + not_applicable.total()
    return Outcome(count, agree, disagree, dict(not_applicable), dict(agree_on))


def _agreements(found: Any, expected: Any) -> dict[str, int]:
    """What of several things was answered as expected."""
    if not isinstance(expected, Mapping):
        return {}
    answered = found if isinstance(found, Mapping) else {}
    return {name: int(answered.get(name) == value) for name, value in expected.items()}
