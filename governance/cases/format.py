"""What a kind of case file is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from governance.cases.shelf import Shelf
from governance.replaying import Case


class Questions(NamedTuple):
    """A file's cases, each with the answer under `expect` in the form in which `answer` gives its own."""

    cases: Iterable[Case]
    answer: Callable[[Case], Any]


@dataclass(frozen=True)
class Format:
    """A kind of case file, known by the fields of its cases."""

    name: str
    fields: frozenset[str]
    questions: Callable[[Mapping[str, Any], Shelf], Questions]

    def fits(self, case: Case) -> bool:
        """Whether a case is of this kind."""
        return self.fields <= case.keys()
