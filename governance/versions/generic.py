"""A plain order for plugins whose ecosystem has none of its own.

Numbers and words are compared in turn, whatever separates them; a leading `v` and what follows a `+`
don't count. At the same place a pre-release word (dev, snapshot, alpha or a, beta or b, milestone or m,
preview or pre, rc or cr, in this order) is below the end of the version, any other word is above it,
by its letters without regard to case, and a number is above both. Zeros before a word or at the end
don't count: 1.0 = 1, 1.0-rc1 < 1.0 < 1.0-patch < 1.0.1.
"""

from __future__ import annotations

import re

from governance.versions.scheme import InvalidVersion, Scheme, leading_numbers

FORM = re.compile(r"(?=[0-9A-Za-z])[0-9A-Za-z._~-]*[0-9][0-9A-Za-z._~-]*(?:\+[0-9A-Za-z._~+-]*)?")
PIECE = re.compile(r"[0-9]+|[A-Za-z]+")
STAGES = {
    "dev": 0,
    "snapshot": 1,
    "alpha": 2,
    "a": 2,
    "beta": 3,
    "b": 3,
    "milestone": 4,
    "m": 4,
    "preview": 5,
    "pre": 5,
    "rc": 6,
    "cr": 6,
}
BEFORE, END, WORD, NUMBER = 0, 1, 2, 3

Piece = tuple[int, int, str]


class Generic(Scheme):
    name = "generic"
    title = "Numbers and words"
    source = "Plumbline: governance/versions/generic.py"

    def parse(self, version: str) -> tuple[Piece, ...]:
        if FORM.fullmatch(version) is None:
            raise InvalidVersion(version, "it wants letters, digits, dots and dashes, and at least one digit")
        text = re.sub(r"^[vV](?=[0-9])", "", version).partition("+")[0]
        pieces: list[Piece] = []
        for piece in PIECE.findall(text):
            if not piece.isdigit():
                _drop_zeros(pieces)
            pieces.append(_piece(piece))
        _drop_zeros(pieces)
        return (*pieces, (END, 0, ""))

    def is_prerelease(self, version: str) -> bool:
        return any(kind == BEFORE for kind, _, _ in self._keys(version))

    def parts(self, version: str) -> tuple[int, int, int] | None:
        self.key(version)
        match = re.match(r"[vV]?([0-9]+(?:\.[0-9]+)*)", version)
        return leading_numbers([int(number) for number in match[1].split(".")]) if match else None


def _piece(text: str) -> Piece:
    if text.isdigit():
        return (NUMBER, int(text), "")
    word = text.lower()
    return (BEFORE, STAGES[word], "") if word in STAGES else (WORD, 0, word)


def _drop_zeros(pieces: list[Piece]) -> None:
    while pieces and pieces[-1] == (NUMBER, 0, ""):
        pieces.pop()
