"""The outcomes of situations' parts: each part is decided once, whichever situations share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from governance.deciders import Deciders
from governance.resolution import Outcome, Situation, combined, parts

# Outcomes by the digests of parts. A digest stands for all that an outcome depends on, so that a process that
# evaluates again and again, as workers do, decides only what it hasn't met lately.
_KEPT = 20_000
_known: OrderedDict[str, Outcome] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a situation comes to, once all of its parts are decided."""

    situation: Situation
    pieces: tuple[tuple[str, Outcome | Future[Outcome]], ...]  # with their parts' digests


class Answers:
    """The outcomes that one evaluation asks for."""

    def __init__(self, deciders: Deciders) -> None:
        self._deciders = deciders
        self._coming: dict[str, Future[Outcome]] = {}

    def ask(self, situations: Iterable[Situation]) -> list[Answer]:
        """Have the situations decided, as far as that isn't known or under way; an answer for each."""
        split = [(situation, parts(situation)) for situation in situations]
        wanted = {part.digest: part for _, some in split for part in some}
        # Held from here on: another thread's evaluation may let what is known go.
        pieces: dict[str, Outcome | Future[Outcome]] = {
            digest: piece for digest in wanted if (piece := self._coming.get(digest) or _looked_up(digest))
        }
        missing = [part for digest, part in wanted.items() if digest not in pieces]
        futures = zip((part.digest for part in missing), self._deciders.submit(missing), strict=True)
        for digest, future in futures:
            pieces[digest] = self._coming[digest] = future
        return [
            Answer(situation, tuple((part.digest, pieces[part.digest]) for part in some))
            for situation, some in split
        ]

    def outcome(self, answer: Answer) -> Outcome:
        """The situation's outcome; it waits for that."""
        return combined([self._decided(digest, piece) for digest, piece in answer.pieces])

    def _decided(self, digest: str, piece: Outcome | Future[Outcome]) -> Outcome:
        if isinstance(piece, Outcome):
            return piece
        outcome = piece.result()
        if self._coming.pop(digest, None) is not None:
            _known[digest] = outcome
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        return outcome


def _looked_up(digest: str) -> Outcome | None:
    with suppress(KeyError):
        _known.move_to_end(digest)
    return _known.get(digest)


def forget() -> None:
    """Decide everything anew from now on."""
    _known.clear()
