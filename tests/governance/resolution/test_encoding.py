"""Places in clauses say what they mean, whatever the solver makes of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pysat.solvers import Minisat22

from governance.resolution import Release
from governance.resolution.candidates import Candidates
from governance.resolution.encoding import Encoding

RELEASES = 6
CANDIDATES = Candidates(Release(number, 1, f"{number}.0", number) for number in range(1, RELEASES + 1))

bits = st.integers(min_value=0, max_value=(CANDIDATES.gone << 1) - 1)


class Asked:
    """The clauses of one component, and a solver to ask."""

    def __init__(self, reach: int) -> None:
        self.solver = Minisat22()
        self.newest = 0
        self.move = self.new()
        self.encoded = Encoding(CANDIDATES, reach, self.move, new=self.new, add=self.add)

    def new(self) -> int:
        self.newest += 1
        return self.newest

    def add(self, *literals: int) -> None:
        self.solver.add_clause(literals)

    def goes(self, *literals: int) -> bool:
        answer: bool = self.solver.solve(assumptions=literals)
        return answer


@given(bits)
def test_who_moves_is_at_one_place_and_who_stays_is_at_none(reach: int) -> None:
    asked = Asked(reach)
    places = asked.encoded.places
    assert set(asked.encoded.at) == {bit for bit, place in CANDIDATES.bits.items() if place & reach}
    assert asked.goes(asked.move) == bool(places)
    assert not asked.goes(asked.move, *(-place for place in places))
    for place in places:
        assert asked.goes(place)
        assert not asked.goes(place, -asked.move)
        assert not any(asked.goes(place, other) for other in places if other != place)


@given(bits, bits)
def test_a_run_of_places_is_meant_by_few_literals(reach: int, wanted: int) -> None:
    asked = Asked(reach)
    cubes = list(asked.encoded.cubes(wanted))
    for release, place in asked.encoded.at.items():
        meant = bool(CANDIDATES.bits[release] & wanted)
        assert any(asked.goes(place, *cube) for cube in cubes) == meant
    assert not any(asked.goes(-asked.move, *cube) for cube in cubes), "who stays goes nowhere"
    assert all(len(cube) <= 2 for cube in cubes)


@given(bits)
def test_what_isnt_reached_breaks_no_run(reach: int) -> None:
    asked = Asked(reach)
    assert len(list(asked.encoded.cubes(-1))) == bool(asked.encoded.places)


@given(bits)
def test_a_model_tells_the_place(reach: int) -> None:
    asked = Asked(reach)
    for place in asked.encoded.places:
        assert asked.goes(asked.move, place)
        assert asked.encoded.place(asked.solver.get_model()) == place
