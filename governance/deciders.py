"""Parts of situations decided on several cores, by processes that know nothing but the parts.

They are started as plain programs, not forked: a worker that has a connection, or isn't allowed children of
`multiprocessing`, may have them all the same. `python -m governance.deciders` is one of them.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from governance.resolution import Change, Outcome, Release, Situation, decide_whole

ALONE = 1.0  # seconds that one process decides by itself: as long as another one takes to start
_TOGETHER = 100  # parts that go to a process at a time, at most: what they share is told once
_ROUNDS = 4  # how often each process is to come back for more, so that none waits long for the last
_ROOT = Path(__file__).resolve().parent.parent


def decide_all(parts: Sequence[Situation], *, processes: int) -> list[Outcome]:
    """The outcomes of the parts, in their order; where they are many, from up to so many processes."""
    begun, outcomes = time.monotonic(), list[Outcome]()
    for part in parts:
        if processes > 1 and len(parts) - len(outcomes) > 1 and time.monotonic() - begun > ALONE:
            return outcomes + _together(parts[len(outcomes) :], processes)
        outcomes.append(decide_whole(part))
    return outcomes


def _together(parts: Sequence[Situation], processes: int) -> list[Outcome]:
    size = min(_TOGETHER, -(-len(parts) // (processes * _ROUNDS)))
    bundles = [parts[begin : begin + size] for begin in range(0, len(parts), size)]
    idle: SimpleQueue[_Decider] = SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(processes) as threads:
        for _ in range(processes):
            idle.put(_Decider(stack.enter_context(_process())))
        return [outcome for some in threads.map(lambda one: _asked(one, idle), bundles) for outcome in some]


def _process() -> subprocess.Popen[bytes]:
    """A process that ends when its input does."""
    command = [sys.executable, "-m", "governance.deciders"]
    return subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class _Decider:
    """A process that decides. What parts share is told to it once, and it remembers what it made of that."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._questions, self._answers = process.stdin, process.stdout
        self._pickler = pickle.Pickler(self._questions, protocol=pickle.HIGHEST_PROTOCOL)

    def decide(self, parts: Sequence[Situation]) -> list[Outcome]:
        """The outcomes of the parts. Raises RuntimeError when the process has ended."""
        with suppress(BrokenPipeError, EOFError):
            self._pickler.dump(list(parts))
            self._questions.flush()
            answer: list[Outcome] = pickle.load(self._answers)
            return answer
        raise RuntimeError("A process that decides has ended before its time.")


def _asked(parts: Sequence[Situation], idle: SimpleQueue[_Decider]) -> Iterable[Outcome]:
    decider = idle.get()
    try:
        answer = decider.decide(parts)
    finally:
        # One that is dead too: whoever waits for a process is to fail, not to wait for ever.
        idle.put(decider)
    return [_at_home(part, outcome) for part, outcome in zip(parts, answer, strict=True)]


def _at_home(part: Situation, outcome: Outcome) -> Outcome:
    """The outcome in terms of the part's own releases, which are here already."""
    known = {release.id: release for release in _releases(part)}
    changes = [
        replace(
            change,
            before=known[change.before.id] if change.before else None,
            after=known[change.after.id] if change.after else None,
        )
        for change in outcome.changes
    ]
    return replace(outcome, changes=tuple(changes))


def _releases(part: Situation) -> Iterator[Release]:
    for component in part.components:
        yield from component.candidates
        if component.installed is not None:
            yield component.installed


def _slim(outcome: Outcome) -> Outcome:
    """Without what is known at home, which would be most of the message."""
    return replace(outcome, changes=tuple(map(_bare, outcome.changes)))


def _bare(change: Change) -> Change:
    before, after = change.before, change.after
    return replace(change, before=before.bare if before else None, after=after.bare if after else None)


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    told = pickle.Unpickler(questions)  # one for all: later questions refer to what earlier ones told
    with suppress(EOFError):
        while parts := told.load():
            pickle.dump([_slim(decide_whole(part)) for part in parts], answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
