"""The outcomes of situations' parts: each part is decided once, whichever situations share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from django.conf import settings

from governance.deciders import Deciders
from governance.resolution import Outcome, Situation

# Outcomes by the digests of parts. A digest stands for all that an outcome depends on, so that a process that
# evaluates again and again, as workers do, decides only what it hasn't met lately.
_KEPT = 20_000
_known: OrderedDict[str, Outcome] = OrderedDict()


Answer = Outcome | Future[Outcome]

_deciders: ContextVar[Deciders | None] = ContextVar("deciders", default=None)


@contextmanager
def deciders() -> Iterator[Deciders]:
    """Those who decide within it, which evaluations share that are made within it.

    So they are started once, and told once what the evaluations have in common.
    """
    if (known := _deciders.get()) is not None:
        yield known
        return
    with Deciders(settings.DECIDERS) as started:
        token = _deciders.set(started)
        try:
            yield started
        finally:
            _deciders.reset(token)


class Answers:
    """The outcomes that one evaluation asks for."""

    def __init__(self, deciders: Deciders) -> None:
        self._deciders = deciders
        self._coming: dict[str, Future[Outcome]] = {}

    def ask(self, parts: Sequence[Situation]) -> list[Answer]:
        """Have the parts decided, as far as that isn't known or under way; an answer for each."""
        wanted = {part.digest: part for part in parts}
        # Held from here on: another thread's evaluation may let what is known go.
        answers: dict[str, Answer] = {
            digest: answer
            for digest, part in wanted.items()
            if (answer := self._coming.get(digest) or _looked_up(part))
        }
        missing = [part for digest, part in wanted.items() if digest not in answers]
        for part, future in zip(missing, self._deciders.submit(missing), strict=True):
            answers[part.digest] = self._coming[part.digest] = future
        return [answers[part.digest] for part in parts]

    def outcome(self, part: Situation, answer: Answer) -> Outcome:
        """The part's outcome; it waits for that."""
        if isinstance(answer, Outcome):
            return answer
        outcome = answer.result()
        if self._coming.pop(part.digest, None) is not None:
            _known[part.digest] = outcome
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        return outcome


def _looked_up(part: Situation) -> Outcome | None:
    """Its outcome, if that is known: changes and what is stuck are the same whether why is asked or not."""
    known = _kept(part.digest)
    if known is None and not part.why:
        explained = _kept(part.explained)
        # What has to be opened may be so for the explanation alone.
        known = None if explained is None or explained.beyond else explained
    return known


def _kept(digest: str) -> Outcome | None:
    with suppress(KeyError):
        _known.move_to_end(digest)
    return _known.get(digest)


def forget() -> None:
    """Decide everything anew from now on."""
    _known.clear()
