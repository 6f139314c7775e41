"""What is wrong with a configuration, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.texts import tellable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1; 0 where a text has none, such as a request's JSON."""

    file: str
    line: int
    place: str  # groups.acme.policies[0].rules[1].range
    reason: str

    def __post_init__(self) -> None:
        for name in ("file", "place", "reason"):  # a file's name may be no text, either
            object.__setattr__(self, name, tellable(getattr(self, name)))

    def as_json(self) -> dict[str, Any]:
        """As commands and endpoints answer with it."""
        return {"file": self.file, "line": self.line, "place": self.place, "reason": self.reason}

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place + ': ' if self.place else ''}{self.reason}"


class ConfigurationError(Exception):
    """The configuration can't be used; nothing of it was. `problems` are all, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))
