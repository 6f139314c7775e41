"""The door to the dialects."""

import sys
from contextlib import suppress
from subprocess import run

import pytest

from governance.versions import SCHEMES, InvalidRange, InvalidVersion, UnknownScheme, ranks, scheme

ASKED_FOR = {"semver", "npm", "helm", "pypi", "maven", "composer", "jenkins", "ckan", "generic"}


def test_every_dialect_asked_for_is_offered_under_its_name() -> None:
    assert set(SCHEMES) >= ASKED_FOR
    for name, dialect in SCHEMES.items():
        assert scheme(name) is dialect
        assert dialect.name == name


@pytest.mark.parametrize("name", list(SCHEMES))
def test_a_dialect_names_its_title_and_source(name: str) -> None:
    assert SCHEMES[name].title
    assert SCHEMES[name].source


def test_an_unknown_dialect_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownScheme, match=r"rpm.*semver, npm"):
        scheme("rpm")


def test_ranks_are_dense_and_equal_versions_share_one() -> None:
    assert ranks("maven", ["2.0", "1.0", "1", "1.0-rc1"]) == {"1.0-rc1": 0, "1": 1, "1.0": 1, "2.0": 2}
    assert ranks("jenkins", []) == {}


def test_ranks_name_the_version_that_can_not_be_ordered() -> None:
    with pytest.raises(InvalidVersion, match="latest") as refusal:
        ranks("semver", ["1.0.0", "latest"])
    assert refusal.value.text == "latest"


@pytest.mark.parametrize("name", list(SCHEMES))
@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (">=2.4.0 <3.0.0", ["2.4.0", "2.9.1"]),
        (">=2.4.0,<3.0.0", ["2.4.0", "2.9.1"]),
        (">= 2.4.0, < 3.0.0", ["2.4.0", "2.9.1"]),
        ("=1.2.0", ["1.2.0"]),
        ("==1.2.0", ["1.2.0"]),
        ("!=1.2.0", ["1.3.0", "2.4.0", "2.9.1", "3.0.0"]),
        ("*", ["1.2.0", "1.3.0", "2.4.0", "2.9.1", "3.0.0"]),
    ],
)
def test_every_dialect_reads_the_simple_form(name: str, text: str, inside: list[str]) -> None:
    found = SCHEMES[name].range(text)
    assert [v for v in ("1.2.0", "1.3.0", "2.4.0", "2.9.1", "3.0.0") if found.contains(v)] == inside


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - {"maven"}))
def test_a_bare_version_means_that_version(name: str) -> None:
    """Except in Maven, where it is a wish that binds nobody."""
    found = SCHEMES[name].range("1.2.0")
    assert found.contains("1.2.0")
    assert not found.contains("1.3.0")


@pytest.mark.parametrize("name", list(SCHEMES))
@pytest.mark.parametrize("text", [">=", ">=1.0.0 <", "<>=1.0.0", "vers:"])
def test_no_dialect_guesses_at_a_broken_range(name: str, text: str) -> None:
    with pytest.raises(InvalidRange) as refusal:
        SCHEMES[name].range(text)
    assert refusal.value.text == text
    assert text in str(refusal.value)


def test_a_range_is_read_once_and_equal_to_itself() -> None:
    dialect = scheme("jenkins")
    assert dialect.range(">=1.0") is dialect.range(">=1.0")
    assert str(dialect.range(">=1.0").text) == ">=1.0"


def test_the_module_needs_no_django() -> None:
    code = "import sys, governance.versions.replay; sys.exit('django' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", list(SCHEMES))
def test_texts_of_any_length_from_outside_are_bounded(name: str) -> None:
    with pytest.raises(InvalidVersion, match="longer than 256"):
        SCHEMES[name].key("1" * 257)
    with pytest.raises(InvalidRange, match="longer than 1024"):
        SCHEMES[name].range(">=1.0.0 " * 129)


@pytest.mark.parametrize("name", list(SCHEMES))
@pytest.mark.parametrize("unit", ["1-", "1.", "a-", "1 ", "[1,", ">=1.0, ", "1.0 - ", "=v ", "-", "1"])
def test_long_nonsense_is_answered_or_refused_and_never_crashes(name: str, unit: str) -> None:
    dialect = SCHEMES[name]
    for text in ((unit * 256)[:256], (unit * 256)[:255] + "!"):
        with suppress(InvalidVersion):
            assert dialect.key(text) == dialect.key(text)
        with suppress(InvalidRange):
            assert dialect.range(text).text == text
