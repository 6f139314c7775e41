"""Parts of situations decided on several cores, by processes that know nothing but the parts.

They are started as plain programs, not forked: a worker that has a connection, or isn't allowed children of
`multiprocessing`, may have them all the same. `python -m governance.deciders` is one of them.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Self

from governance.resolution import Change, Outcome, Release, Situation, decide_whole

ALONE = 1.0  # seconds that one process decides by itself: as long as another one takes to start
_TOGETHER = 40  # parts that go to a process at a time, at most: the last to come waits for these alone
_ROUNDS = 4  # how often each process is to come back for more, so that none waits long for the last
_TOLD = 4_000  # parts after which a process forgets what it was told, which grows with them
_ROOT = Path(__file__).resolve().parent.parent


class Deciders:
    """Whoever decides for one evaluation: this process, and up to so many others where it takes long."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._stack = ExitStack()
        self._alone = 0.0  # seconds that this process has spent on deciding

    def submit(self, parts: Sequence[Situation]) -> list[Future[Outcome]]:
        """The outcomes of the parts, in their order, as they come.

        Where a process ends before its time, they come to a RuntimeError.
        """
        here = list[Future[Outcome]]()
        while len(here) < len(parts) and (
            self._processes <= 1 or self._alone < ALONE or len(parts) - len(here) == 1
        ):
            here.append(self._decided_here(parts[len(here)]))
        there = [(part, Future[Outcome]()) for part in parts[len(here) :]]
        size = min(_TOGETHER, -(-len(there) // (self._processes * _ROUNDS)))
        for begin in range(0, len(there), size or 1):
            self._threads.submit(self._decided_there, there[begin : begin + size])
        return [*here, *(future for _, future in there)]

    def _decided_here(self, part: Situation) -> Future[Outcome]:
        begun, future = time.monotonic(), Future[Outcome]()
        future.set_result(decide_whole(part))
        self._alone += time.monotonic() - begun
        return future

    def _decided_there(self, asked: Sequence[tuple[Situation, Future[Outcome]]]) -> None:
        decider = self._idle.get()
        try:
            outcomes = decider.decide([part for part, _ in asked])
        except Exception as error:  # whoever waits is to hear of it, whatever it is
            for _, future in asked:
                future.set_exception(error)
        else:
            for (part, future), outcome in zip(asked, outcomes, strict=True):
                future.set_result(_at_home(part, outcome))
        finally:
            # One that is dead too: whoever waits for a process is to fail, not to wait for ever.
            self._idle.put(decider)

    @cached_property
    def _idle(self) -> SimpleQueue[_Decider]:
        idle = SimpleQueue[_Decider]()
        for _ in range(self._processes):
            idle.put(_Decider(self._stack.enter_context(_process())))
        return idle

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        assert self._idle  # the processes first, so that they outlive the threads
        threads = ThreadPoolExecutor(self._processes)
        self._stack.callback(threads.shutdown, cancel_futures=True)
        return threads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


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
        self._told = 0

    def decide(self, parts: Sequence[Situation]) -> list[Outcome]:
        """The outcomes of the parts. Raises RuntimeError when the process has ended."""
        with suppress(BrokenPipeError, EOFError):
            if self._told > _TOLD:
                self._pickler.dump(None)
                self._pickler.clear_memo()
                self._told = 0
            self._told += len(parts)
            self._pickler.dump(list(parts))
            self._questions.flush()
            answer: list[Outcome] = pickle.load(self._answers)
            return answer
        raise RuntimeError("A process that decides has ended before its time.")


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


def _questions(stream: IO[bytes]) -> Iterator[list[Situation]]:
    told = pickle.Unpickler(stream)  # one for all: later questions refer to what earlier ones told
    with suppress(EOFError):
        while True:
            parts = told.load()
            if parts is None:  # from here on they refer to nothing from before
                told = pickle.Unpickler(stream)
            else:
                yield parts


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    for parts in _questions(questions):
        pickle.dump([_slim(decide_whole(part)) for part in parts], answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
