"""What holds of every dialect, whatever its rule."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations

from governance.versions import InvalidVersion, Scheme, ranks


def assert_total_order(scheme: Scheme, versions: list[str]) -> None:
    """Of two versions exactly one of <, = and > holds, and the order carries over a third."""
    keys = sorted(scheme.key(version) for version in versions)
    for lower, higher in combinations(keys, 2):
        assert not higher < lower
        assert (lower < higher) != (lower == higher)
        assert (higher == lower) == (lower == higher)


def assert_ranks_follow_keys(scheme: Scheme, versions: list[str]) -> None:
    """Ranks are dense from 0 and compare as keys do, in whatever order the versions come."""
    ranked = ranks(scheme.name, versions)
    assert ranked == ranks(scheme.name, reversed(versions))
    assert sorted(set(ranked.values())) == list(range(len(set(ranked.values()))))
    for a, b in combinations(versions, 2):
        assert (ranked[a] < ranked[b]) == (scheme.key(a) < scheme.key(b))
        assert (ranked[a] == ranked[b]) == (scheme.key(a) == scheme.key(b))


def assert_simple_form_follows_keys(scheme: Scheme, version: str, bound: str) -> None:
    """Plumbline's own range form says of two versions what their keys say."""
    key, limit = scheme.key(version), scheme.key(bound)
    answers = {
        op: scheme.range(f"{op}{bound}").contains(version) for op in (">=", ">", "<=", "<", "=", "==", "!=")
    }
    assert answers == {
        ">=": not key < limit,
        ">": limit < key,
        "<=": not limit < key,
        "<": key < limit,
        "=": key == limit,
        "==": key == limit,
        "!=": key != limit,
    }
    assert scheme.range(f">={bound} <={bound}").contains(version) == (key == limit)
    assert scheme.range(f">={bound}, !={bound}").contains(version) == (limit < key)
    assert scheme.range("*").contains(version)


def equal_pairs(scheme: Scheme, versions: list[str]) -> Iterator[tuple[str, str]]:
    """Versions that are equal to the dialect, written differently: those given, and longer spellings."""
    spellings = {
        *versions,
        *(f"{v}.0" for v in versions),
        *(f"{v}+b" for v in versions),
        *(f"v{v}" for v in versions),
    }
    readable = []
    for version in sorted(spellings):
        with suppress(InvalidVersion):
            readable.append((scheme.key(version), version))
    for (key, version), (other_key, other) in combinations(readable, 2):
        if key == other_key:
            yield version, other
