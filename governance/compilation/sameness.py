"""Which version all tenants shall have, where a rule wants the same everywhere and names none; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.rules import ReleaseFacts


@dataclass(frozen=True, slots=True)
class Camp:
    """So many tenants that have the plugin, bound alike by other rules.

    `held_at` is the rank of what a hold keeps there, None where none does; `now_at` that of what they have.
    `members` are the tenants' ids, where these were asked for.
    """

    tenants: int
    bound_by: frozenset[int]
    held_at: int | None = None
    now_at: int = 0
    members: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that may be chosen, with the tenants that may reach it as far as the other rules go."""

    release: ReleaseFacts
    tenants: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reached:
    """The candidate that the most tenants reach in fact, and how many candidates were never asked about."""

    candidate: Candidate
    tenants: int
    untried: int = 0


def candidates(releases: Iterable[ReleaseFacts], at: datetime) -> list[ReleaseFacts]:
    """The releases that may be chosen, the newest first.

    None that isn't out, was withdrawn, is a pre-release or not in the catalogue, as long as others are there.
    """
    sound = [release for release in releases if release.is_out(at) and not release.withdrawn]
    catalogued = [release for release in sound if release.catalogued]
    stable = [release for release in catalogued if not release.prerelease]
    return sorted(stable or catalogued or sound, key=lambda release: (-release.rank, release.id))


def choose(
    newest_first: Sequence[ReleaseFacts], camps: Sequence[Camp], broken: Mapping[int, frozenset[int]]
) -> int | None:
    """The release that the most tenants can reach, of several the newest.

    `broken` are the releases that break each of the other rules. A tenant reaches what no rule that binds it
    denies, and under a hold only what it has. It doesn't reach what is older than what it has: one tenant
    that is held back must not take all others back with it.
    """
    best: tuple[int, int] | None = None
    for release in newest_first:
        reach = sum(camp.tenants for camp in camps if _reaches(camp, release, broken))
        if best is None or reach > best[0]:
            best = reach, release.id
    return best[1] if best else None


def most_reached(
    newest_first: Sequence[Candidate], now: int | None, reach: Callable[[Candidate], int], *, most: int
) -> Reached | None:
    """The candidate that the most tenants reach in fact, as `reach` tells, of several the newest.

    To ask is dear, and no more tenants reach a release than the other rules let reach it. So these numbers
    give the order, after the release that is wanted `now`, and what can't win any more isn't asked about; nor
    is anything once `most` were. Where nobody reaches any, it is the one that the rules let the most reach.
    """
    by_rules = sorted(range(len(newest_first)), key=lambda place: -len(newest_first[place].tenants))
    best, asked, untried = (0, 1), 0, 0  # how many reach it, and its place, counted down
    for place in sorted(by_rules, key=lambda place: newest_first[place].release.id != now):
        candidate = newest_first[place]
        if (len(candidate.tenants), -place) <= best:
            continue
        if asked == most:
            untried += 1
            continue
        asked += 1
        best = max(best, (reach(candidate), -place))
    if not by_rules:
        return None
    return Reached(newest_first[-best[1] if best[0] else by_rules[0]], best[0], untried)


def candidate(
    release: ReleaseFacts, camps: Sequence[Camp], broken: Mapping[int, frozenset[int]]
) -> Candidate:
    """The release, with the members of the camps that may reach it."""
    reaching = (camp.members for camp in camps if _reaches(camp, release, broken))
    return Candidate(release, frozenset[int]().union(*reaching))


def _reaches(camp: Camp, release: ReleaseFacts, broken: Mapping[int, frozenset[int]]) -> bool:
    if release.rank < camp.now_at or camp.held_at not in (None, release.rank):
        return False
    return not any(release.id in broken.get(rule, ()) for rule in camp.bound_by)
