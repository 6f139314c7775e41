"""Addresses without the names in them."""

from hypothesis import given
from hypothesis import strategies as st

from tenants import masking

PARTS = st.text("abcdefghij.-+_", min_size=1, max_size=20)


@given(PARTS, PARTS)
def test_of_an_address_the_place_alone_is_told(name: str, place: str) -> None:
    assert masking.address(f"{name}@{place}") == f"…@{place}"


@given(PARTS)
def test_what_is_no_address_is_only_told_to_be_there(text: str) -> None:
    assert (masking.address(text), masking.address("")) == ("…", "")
