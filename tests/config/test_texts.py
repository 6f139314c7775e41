"""Text that can't be kept or sent: told by its escapes."""

import difflib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.texts import UNKEEPABLE, did_you_mean, nearest, paired, tellable, tellable_in

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def test_what_cannot_be_kept_is_told_by_its_escape() -> None:
    assert tellable("a\0b\ud800") == "a\\u0000b\\ud800"


@given(ANY_VALUE)
def test_whatever_is_told_can_be_sent_and_kept(value: Any) -> None:
    assert not UNKEEPABLE.search(json.dumps(tellable_in(value), ensure_ascii=False))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_can_be_kept_is_told_as_it_is(text: str) -> None:
    assert tellable(text) == text


@given(ANY_TEXT)
def test_two_escapes_of_one_character_are_joined_and_nothing_else_is_changed(text: str) -> None:
    assert paired(json.loads(json.dumps(text))) == json.loads(json.dumps(text))
    halves = text.encode("utf-16-be", "surrogatepass")
    apart = "".join(chr(int.from_bytes(halves[at : at + 2])) for at in range(0, len(halves), 2))
    assert paired(apart) == json.loads(json.dumps(apart))


def test_the_nearest_name_is_told_and_nothing_where_none_is_near() -> None:
    assert did_you_mean("rong", ["ring", "region", "tier"]) == "; did you mean “ring”?"
    assert did_you_mean("zzzz", ["ring", "region", "tier"]) == ""


def test_of_very_many_names_only_those_beside_it_in_order_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []
    find = difflib.get_close_matches

    def counting(name: str, names: list[str], most: int) -> list[str]:
        compared.append(len(names))
        return find(name, names, most)

    monkeypatch.setattr(difflib, "get_close_matches", counting)
    many = [f"customer-{number:06}" for number in range(0, 200_000, 2)]
    for name in ("customer-000001", "customer-099999x", "customer-999999", "a", "z"):
        nearest(name, many)
    assert max(compared) <= 1_000
    assert str(nearest("customer-100001", many)).startswith("customer-10")
    assert nearest("customer-199999", many) == "customer-199998"
