"""A situation in clauses for a SAT solver, written down only as far as the solver asks.

At first whatever may change is one variable, "it moves", and moving is taken to help wherever it could. Only
when the solver proposes that a component moves are the places written down that it may go to, and only of
those that it proposes what they ask for; of all places of a component at once where that goes on for long. A
component that isn't open stays at the one variable: a proposal that moves it says that it ought to be opened,
and where there is no way even so, there is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

from pysat.solvers import Minisat22

from governance.resolution.encoding import Cube, Encoding
from governance.resolution.ground import State
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Need, Relation, Release
from governance.resolution.values import Binding, Component

CONFLICTS = 20_000  # that the solver may run into over one question before it is given up
PATIENCE = 10  # proposals that are told of one place at a time: there may be a demand for each of very many


class Exhausted(Exception):
    """The bound on the solver's work is hit."""


class Clauses:
    """The clauses of one problem, and the last state that met all that was asked of it.

    With `whole`, the places that the bindings forbid are there too, so that some of the bindings can be asked
    about: each holds only where its literal is assumed.
    """

    def __init__(self, problem: Problem, *, whole: bool = False) -> None:
        self.problem = problem
        self.whole = whole
        self._encoded: dict[int, Encoding] = {}  # by component, once it is proposed that it moves
        self._solver = Minisat22()
        self._newest = 0
        self._model: Sequence[int] = ()
        self._held: dict[Relation, int] = {}
        self._about: dict[int, list[Relation]] = defaultdict(list)  # by component, the relations in _held
        self._touched: set[int] = set()
        self._told: set[int] = set()  # the literals of the places whose demands are written down
        self._asked: dict[int, set[Relation]] = {}  # by component, the demands that are written down
        self._runs: dict[Cube, int] = {}  # a literal that says that all of these are true
        self.moves = {component.id: self._new() for component in problem.situation.components}
        self._binds: dict[Binding, int] = {binding: self._new() for binding in problem.bindings}
        self._goals = {component: self._new() for component in problem.obliged}
        # The solver's first guess: what must move moves, and nothing else does.
        self._solver.set_phases([m if c in self._goals else -m for c, m in self.moves.items()])
        for component, goal in self._goals.items():
            for binding in problem.broken(component):
                self._add(-goal, -self._binds[binding], self.moves[component])
        for fault in problem.ground.unsound if problem.situation.strict else ():
            self._add(self.moves[fault.component], self._holds(fault.relation))

    def given(self, bindings: Iterable[Binding], goals: Iterable[int]) -> list[int]:
        """The literals that say: under these bindings, every goal leaves what breaks one of them."""
        return [*(self._binds[b] for b in bindings), *(self._goals[goal] for goal in goals)]

    def any_of(self, literals: Iterable[int]) -> int:
        """A literal that says that one of them is true."""
        one = self._new()
        self._add(-one, *literals)
        return one

    def more(self, make: Iterable[Sequence[int]], newest: int) -> None:
        """Take over clauses made elsewhere, with variables up to `newest`."""
        self._newest = max(self._newest, newest)
        for clause in make:
            self._solver.add_clause(clause)

    @property
    def newest(self) -> int:
        """The last variable in use."""
        return self._newest

    def solve(self, assumed: Sequence[int]) -> bool:
        """Whether a state meets what is assumed and breaks nothing; raises Exhausted at the bound."""
        proposals = 0
        while True:
            self._solver.conf_budget(CONFLICTS)
            answer = self._solver.solve_limited(assumptions=assumed)
            if answer is None:
                raise Exhausted
            if not answer:
                return False
            proposed = self._solver.get_model()
            if not self._tell_of(proposed, wholly=proposals >= PATIENCE):
                self._model = proposed
                return True
            proposals += 1

    def core(self) -> frozenset[int]:
        """Those of the assumed literals that can't hold together."""
        return frozenset(self._solver.get_core() or ())

    def blamed(self, bindings: Iterable[Binding]) -> list[Binding]:
        """Those of the bindings that have a part in the last refusal."""
        core = self.core()
        return [binding for binding in bindings if self._binds[binding] in core]

    def blamed_goals(self, goals: Iterable[int]) -> list[int]:
        """Those of the goals that have a part in the last refusal."""
        core = self.core()
        return [goal for goal in goals if self._goals[goal] in core]

    def is_true(self, literal: int) -> bool:
        """Whether it is true in the last state; what wasn't written down then is false."""
        return _is_true(self._model, literal)

    def places(self, component: int) -> Mapping[int | None, int] | None:
        """By release, None where it is gone, the literal that it goes there; None if it can't move as yet."""
        encoded = self._encoded.get(component)
        return None if encoded is None else encoded.at

    def state(self) -> State:
        """The last state that was found."""
        return {c: self._at(c, self._model) for c in self.moves}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()

    def _new(self) -> int:
        self._newest += 1
        return self._newest

    def _add(self, *literals: int) -> None:
        self._solver.add_clause(literals)

    def _at(self, component: int, model: Sequence[int]) -> Release | None:
        encoded = self._encoded.get(component)
        if encoded is None or not _is_true(model, self.moves[component]):
            return self.problem.start[component]
        return encoded.places[encoded.place(model)]

    def _tell_of(self, model: Sequence[int], *, wholly: bool) -> bool:
        """Write down what the proposed state hasn't been told of yet; whether there was anything.

        `wholly` tells at once of all places of a component that goes somewhere new.
        """
        known, news = len(model), False
        moved = [c for c, move in self.moves.items() if move <= known and model[move - 1] > 0]
        for component in moved:
            if component not in self._touched:
                self._touch(component)
                news = True
            elif encoded := self._encoded.get(component):
                place = encoded.place(model)
                if place not in self._told:
                    for one in encoded.places if wholly else [place]:
                        self._tell_demands(component, one)
                    news = True
        return news

    def _tell_demands(self, component: int, place: int) -> None:
        """What the release of a place asks for, for all releases of the component that ask the same."""
        self._told.add(place)
        encoded, asked = self._encoded[component], self._asked[component]
        release = encoded.places[place]
        candidates = self.problem.situation.component(component).candidates
        for relation in release.relations if release is not None else ():
            if relation not in asked:
                asked.add(relation)
                held = self._holds(relation)
                for cube in encoded.cubes(candidates.asking[relation]):
                    self._add(held, *_none_of(cube))

    def _touch(self, component: int) -> None:
        """It is proposed for the first time that it moves: say where to, and who minds."""
        self._touched.add(component)
        part = self.problem.situation.component(component)
        if part.open:
            self._unfold(part)
        ground = self.problem.ground
        for watcher, _, relation in ground.watchers(component):
            if ground.situation.strict or ground.stands(relation):
                self._add(self.moves[watcher], self._holds(relation))

    def _unfold(self, component: Component) -> None:
        reach = self.problem.situation.unbound if self.whole else self.problem.reach
        encoded = self._encoded[component.id] = Encoding(
            component.candidates,
            reach(component.id),
            self.moves[component.id],
            new=self._new,
            add=self._add,
        )
        self._asked[component.id] = set()
        for binding in self.problem.binding.get(component.id, ()) if self.whole else ():
            for cube in encoded.cubes(~binding.among(component.candidates)):
                self._add(-self._binds[binding], *_none_of(cube))
        for relation in self._about[component.id]:
            self._define(relation)

    def _holds(self, relation: Relation) -> int:
        """The literal that says so."""
        if relation not in self._held:
            self._held[relation] = self._new()
            for component in sorted(relation.components & self.moves.keys()):
                self._about[component].append(relation)
            self._define(relation)
        return self._held[relation]

    def _define(self, relation: Relation) -> None:
        """What follows if the relation holds, as far as is known where the components could go."""
        held = self._held[relation]
        beside = sorted(relation.components & self.moves.keys())
        there = [cube for component in beside for cube in self._there(component, relation)]
        if isinstance(relation, Clash):
            for cube in there:
                self._add(-held, *_none_of(cube))
            return
        met = list(map(self._all_of, there))
        if relation.of_host or not self.problem.situation.complete:
            met.append(self._nobody(beside))
        self._add(-held, *met)

    def _there(self, component: int, relation: Relation) -> Iterator[Cube]:
        """What is true together where the component is at one of the relation's releases.

        Where it could go isn't known before it is unfolded: it is taken to where nothing is wrong with it.
        """
        installed, move = self.problem.start[component], self.moves[component]
        if installed is not None and installed.id in relation.releases:
            yield (-move,)
        if encoded := self._encoded.get(component):
            candidates = self.problem.situation.component(component).candidates
            yield from encoded.cubes(candidates.meant(relation))
        elif isinstance(relation, Need) and relation.releases - {installed.id if installed else None}:
            yield (move,)

    def _all_of(self, cube: Cube) -> int:
        """A literal that isn't true unless all of these are."""
        if len(cube) == 1:
            return cube[0]
        if cube not in self._runs:
            run = self._runs[cube] = self._new()
            for literal in cube:
                self._add(-run, literal)
        return self._runs[cube]

    def _nobody(self, components: Iterable[int]) -> int:
        """A literal that says that all of them are missing."""
        nobody = self._new()
        for component in components:
            move = self.moves[component]
            if self.problem.start[component] is None:
                self._add(-nobody, -move)
            elif encoded := self._encoded.get(component):
                self._add(-nobody, *(place for at, place in encoded.at.items() if at is None))
            else:
                self._add(-nobody, move)
        return nobody


def _none_of(cube: Cube) -> Iterable[int]:
    """What a clause takes that says that these aren't true together."""
    return [-literal for literal in cube]


def _is_true(model: Sequence[int], literal: int) -> bool:
    variable = abs(literal)
    return (variable <= len(model) and model[variable - 1] > 0) == (literal > 0)
