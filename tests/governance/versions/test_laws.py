"""What holds of every dialect, whatever text comes in from outside."""

import time
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.versions import SCHEMES, InvalidRange, InvalidVersion, Range, ranks
from tests.governance.versions import laws, strategies

PUBLISHED = {
    "semver": strategies.semantic,
    "npm": strategies.semantic,
    "helm": strategies.semantic,
    "pypi": strategies.pep440,
    "maven": strategies.maven,
    "composer": strategies.composer,
    "jenkins": strategies.jenkins,
    "ckan": strategies.ckan,
    "ckan-game": st.lists(strategies.numbers, min_size=2, max_size=4).map(".".join),
    "generic": strategies.generic,
}
# what the dialects' grammars are made of, so that random texts get past their first character
PIECES = (
    *"0123456789.-+_~^<>=!*|,()[]@#:% \tvxab",
    *(
        "alpha",
        "rc",
        "SNAPSHOT",
        "dev",
        "dev-",
        " as ",
        "||",
        " - ",
        ">=",
        "1.0.0",
        "vers:npm/",
        "\u0668",
        "é",
    ),
)
texts = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
names = st.sampled_from(sorted(SCHEMES))

SECONDS = 1.0  # a generous bound: what grows exponentially takes hours, and a slow machine is no failure


def test_every_dialect_has_versions_to_try_the_laws_on() -> None:
    assert set(PUBLISHED) == set(SCHEMES)


@given(st.data(), names)
def test_keys_are_equal_exactly_where_compare_finds_no_difference(data: st.DataObject, name: str) -> None:
    a, b = data.draw(PUBLISHED[name]), data.draw(PUBLISHED[name])
    scheme = SCHEMES[name]
    if "SNAPSHOT" in a and "SNAPSHOT" in b:
        return  # Jenkins' compare() finds literal snapshots equal to all builds; see its own tests
    assert (scheme.compare(a, b) == 0) == (scheme.key(a) == scheme.key(b))
    assert scheme.compare(a, b) == -scheme.compare(b, a)


@given(st.data(), names)
def test_versions_that_are_equal_are_in_the_same_ranges(data: st.DataObject, name: str) -> None:
    scheme = SCHEMES[name]
    bound = data.draw(PUBLISHED[name])
    for version, other in laws.equal_pairs(scheme, data.draw(st.lists(PUBLISHED[name], max_size=6))):
        for text in (bound, f">={bound}", f"<{bound}", f"!={bound}", f"[{bound},)", f"^{bound}", f"~{bound}"):
            found = _range(name, text)
            if found is not None:
                assert found.contains(version) == found.contains(other)


def _range(name: str, text: str) -> Range | None:
    with suppress(InvalidRange):
        return SCHEMES[name].range(text)
    return None


@given(st.data(), names, st.randoms(use_true_random=False))
def test_ranks_do_not_depend_on_the_order_of_input(data: st.DataObject, name: str, random: Random) -> None:
    versions = data.draw(st.lists(PUBLISHED[name], max_size=8))
    shuffled = random.sample(versions, len(versions))
    assert ranks(name, versions) == ranks(name, shuffled)


@given(names, texts)
def test_a_text_is_a_version_or_refused_as_none(name: str, text: str) -> None:
    with suppress(InvalidVersion):
        assert SCHEMES[name].key(text) == SCHEMES[name].key(text)
        SCHEMES[name].parts(text)
        SCHEMES[name].is_prerelease(text)


@given(names, texts, texts)
def test_a_text_is_a_range_or_refused_as_none(name: str, text: str, version: str) -> None:
    found = _range(name, text)
    if found is not None:
        with suppress(InvalidVersion):
            assert found.contains(version) in (True, False)


@pytest.mark.parametrize("name", list(SCHEMES))
@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "[(",
        "[1,2],",
        "1-",
        "1.",
        "a-",
        "a1",
        "*",
        "9",
        "||",
        " ",
        "1 - ",
        ">= ",
        "~> ",
        "=v ",
        "-dev",
        "%20",
    ],
)
def test_the_longest_texts_are_answered_or_refused_in_no_time(name: str, unit: str) -> None:
    start = time.perf_counter()
    for head, tail in (("", ""), ("1.0.0", "!"), ("vers:npm/", "")):
        with suppress(InvalidVersion):
            SCHEMES[name].key(f"{head}{unit * 256}"[: 256 - len(tail)] + tail)
        with suppress(InvalidRange, InvalidVersion):
            SCHEMES[name].range(f"{head}{unit * 1024}"[: 1024 - len(tail)] + tail).contains("1.0.0")
    assert time.perf_counter() - start < SECONDS
