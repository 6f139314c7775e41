"""What commands print for people."""

from __future__ import annotations

import pytest

from governance.cli.output import Output


def test_nothing_is_cut_in_a_table_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    row = [f"{number}.2.0-161.v691ef352cee1" for number in range(9)]
    Output(print, as_json=False).table("Versions", [f"version-{number}" for number in range(9)], [row])
    lines = capsys.readouterr().out.splitlines()
    assert row in [line.split() for line in lines]
