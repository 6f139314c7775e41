"""Rows for a statement are the same rows, whether they go along with it or are in a table."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from django.db import connection
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from governance import staging

pytestmark = pytest.mark.django_db

COLUMNS = {"number": "integer", "other": "bigint", "name": "text", "document": "jsonb"}


def rows(count: int) -> list[tuple[Any, ...]]:
    return [
        (n, n if n % 5 else None, None if n % 7 == 3 else f"it's “{n}” %", Jsonb({"n": [n, "\\"]}))
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 2, staging._FEW, staging._FEW + 1, staging._FEW + 5])
def test_a_statement_reads_the_rows_that_were_given(count: int) -> None:
    given = staging.given("handed", COLUMNS, iter(rows(count)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number, other, name, document ->> 'n' FROM {given.text} ORDER BY number",
            given.parameters,
        )
        found = cursor.fetchall()
    assert found == [(n, other, name, f'[{n}, "\\\\"]') for n, other, name, _ in rows(count)]


@hypothesis.given(
    st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
)
@hypothesis.settings(deadline=None)
def test_any_texts_arrive_in_an_array_as_they_are(wanted: list[str | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [staging.texts(wanted)])
        assert cursor.fetchone()[0] == wanted


def test_any_whole_numbers_arrive_in_an_array_as_they_are() -> None:
    with connection.cursor() as cursor:
        for wanted in ([], [0], [-1, 2**62, None, 7]):
            cursor.execute("SELECT %s::bigint[]", [staging.numbers(wanted)])
            assert cursor.fetchone()[0] == wanted


def test_few_rows_make_no_table_and_many_do() -> None:
    def is_table() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('pg_temp.handed_over') IS NOT NULL")
            return bool(cursor.fetchone()[0])

    staging.given("handed_over", COLUMNS, rows(staging._FEW))
    assert not is_table()
    staging.given("handed_over", COLUMNS, rows(staging._FEW + 1))
    assert is_table()


def test_the_table_holds_what_was_given_last() -> None:
    staging.given("handed", COLUMNS, rows(staging._FEW + 9))
    given = staging.given("handed", COLUMNS, rows(staging._FEW + 1))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {given.text}", given.parameters)
        assert cursor.fetchone()[0] == staging._FEW + 1
