"""Parts of situations decided on several cores, by processes that know nothing but the parts.

They are started as plain programs, not forked: a worker that has a connection, or isn't allowed children of
`multiprocessing`, may have them all the same. `python -m governance.deciders` is one of them.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Self

from governance.resolution import Change, Outcome, Release, Rule, Situation, WayOut, decide_whole

ALONE = 0.2  # seconds that one process decides by itself: twice as long as another one takes to start
_TOGETHER = 40  # parts that go to a process at a time, at most: the last to come waits for these alone
_ROUNDS = 4  # how often each process is to come back for more, so that none waits long for the last
_TOLD = 4_000  # parts after which a process forgets what it was told, which grows with them
_ROOT = Path(__file__).resolve().parent.parent

_Asked = tuple[Situation, Future[Outcome]]


class Deciders:
    """Whoever decides for one evaluation: this process, and up to so many others where it takes long."""

    def __init__(self, processes: int) -> None:
        self._processes = max(processes, 1)
        self._stack = ExitStack()
        self._idle: SimpleQueue[_Decider] | None = None  # once others are started
        self._alone = 0.0  # seconds that this process has spent on deciding

    def submit(self, parts: Sequence[Situation]) -> list[Future[Outcome]]:
        """The outcomes of the parts, in their order, as they come.

        Where a process ends before its time, they come to a RuntimeError.
        """
        here = list[Future[Outcome]]()
        while len(here) < len(parts) and self._goes_alone(len(parts) - len(here)):
            here.append(self._decided_here(parts[len(here)]))
        there = [(part, Future[Outcome]()) for part in parts[len(here) :]]
        for some in self._shares(there):
            self._threads.submit(self._decided_there, self._others(), some)
        return [*here, *(future for _, future in there)]

    def _shares(self, asked: Sequence[_Asked]) -> list[Sequence[_Asked]]:
        """What goes to a process at a time, each about as much work as the others."""
        size = max(min(_TOGETHER, -(-len(asked) // (self._processes * _ROUNDS))), 1)
        number = -(-len(asked) // size)
        heavy_first = sorted(asked, key=lambda one: -len(one[0].components))
        return [heavy_first[place::number] for place in range(number)]

    def _goes_alone(self, left: int) -> bool:
        """Whether this process decides the next of so many that are left by itself."""
        return self._processes == 1 or (self._idle is None and (self._alone < ALONE or left == 1))

    def _decided_here(self, part: Situation) -> Future[Outcome]:
        begun, future = time.monotonic(), Future[Outcome]()
        future.set_result(decide_whole(part))
        self._alone += time.monotonic() - begun
        return future

    @staticmethod
    def _decided_there(idle: SimpleQueue[_Decider], asked: Sequence[_Asked]) -> None:
        decider = idle.get()
        try:
            answered = zip(asked, decider.decide([part for part, _ in asked]), strict=True)
            outcomes = [_at_home(part, outcome) for (part, _), outcome in answered]
        except Exception as error:  # whoever waits is to hear of it, whatever it is
            for _, future in asked:
                future.set_exception(error)
        else:
            for (_, future), outcome in zip(asked, outcomes, strict=True):
                future.set_result(outcome)
        finally:
            # One that is dead too: whoever waits for a process is to fail, not to wait for ever.
            idle.put(decider)

    def _others(self) -> SimpleQueue[_Decider]:
        """The other processes, those that aren't busy; started when they are asked for first."""
        if self._idle is None:
            self._idle = SimpleQueue()
            for _ in range(self._processes):
                self._idle.put(_Decider(self._stack.enter_context(_process())))
        return self._idle

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """They end before the processes do, which are started first."""
        self._others()
        threads = ThreadPoolExecutor(self._processes)
        self._stack.callback(threads.shutdown, cancel_futures=True)
        return threads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):  # of one that is dead, for which it has been said already
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

    # Looked up by hand: the part, which is kept, would keep its own index as well.
    components = {component.id: component for component in part.components}

    def known(component_id: int, release: Release) -> Release:
        component = components[component_id]
        here = component.installed
        if here is not None and here.id == release.id:
            return here
        return component.candidates.by_id[release.id]

    return _in_terms_of(known, outcome)


def _slim(outcome: Outcome) -> Outcome:
    """Without what is known at home, which would be most of the message."""
    return _in_terms_of(lambda _, release: release.bare, outcome)


def _in_terms_of(find: Callable[[int, Release], Release], outcome: Outcome) -> Outcome:
    """The same outcome with other objects for the releases that it names, by component and release."""

    def found(component: int, release: Release | None) -> Release | None:
        return None if release is None else find(component, release)

    def moved(one: Change) -> Change:
        before, after = found(one.component, one.before), found(one.component, one.after)
        # One text for all that say the same: as they come, each outcome has its own.
        return replace(one, before=before, after=after, because=sys.intern(one.because), rules=named(one))

    def named(one: Change) -> tuple[Rule, ...]:
        return tuple((sys.intern(policy), sys.intern(key)) for policy, key in one.rules)

    def told(way: WayOut) -> WayOut:
        return replace(way, goes={component: found(component, to) for component, to in way.goes.items()})

    if not outcome.changes and not outcome.unsettled:
        return outcome
    changes = map(moved, outcome.changes)
    unsettled = (replace(one, ways_out=tuple(map(told, one.ways_out))) for one in outcome.unsettled)
    return replace(outcome, changes=tuple(changes), unsettled=tuple(unsettled))


def _questions(stream: IO[bytes]) -> Iterator[list[Situation]]:
    told = pickle.Unpickler(stream)  # one for all: later questions refer to what earlier ones told
    with suppress(EOFError):
        while True:
            parts = told.load()
            if parts is None:  # from here on they refer to nothing from before
                told = pickle.Unpickler(stream)
                gc.collect()  # components that ask something of each other remember each other
            else:
                yield parts


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    gc.disable()  # what is decided leaves no circles behind: what was told does, see `_questions`
    for parts in _questions(questions):
        pickle.dump([_slim(decide_whole(part)) for part in parts], answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # whoever waits for the end needn't wait until each object is given back
