"""The structured log."""

import json
import subprocess
import sys
from typing import Any

import pytest

from config.env import BASE_DIR

SET_UP = "import logging, structlog; from config.logs import configure, logging_config;"


def _log(statement: str, level: str = "INFO") -> list[dict[str, Any]]:
    """What a fresh process writes to standard error: each test's own logging stays as it is."""
    program = f"{SET_UP} configure(logging_config({level!r})); {statement}"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in answer.stderr.splitlines()]


@pytest.mark.parametrize(
    "statement",
    [
        "structlog.get_logger('governance').info('decided', tenant='tenant-b')",
        "logging.getLogger('governance').info('decided', extra={'tenant': 'tenant-b'})",
    ],
)
def test_both_ways_of_logging_give_one_json_object_a_line(statement: str) -> None:
    (line,) = _log(statement)
    assert line.pop("timestamp")
    assert line == {"event": "decided", "tenant": "tenant-b", "level": "info", "logger": "governance"}


def test_sensitive_values_are_masked() -> None:
    (line,) = _log(
        "structlog.get_logger().info('sent', api_token='t', Authorization='Bearer x', owner='ann')"
    )
    assert (line["api_token"], line["Authorization"], line["owner"]) == ("***", "***", "ann")


def test_a_failure_carries_its_traceback_in_the_same_line() -> None:
    (line,) = _log("\ntry: 1 / 0\nexcept ZeroDivisionError: structlog.get_logger().exception('failed')")
    assert "ZeroDivisionError" in line["exception"]


def test_the_level_holds() -> None:
    assert _log("structlog.get_logger().info('quiet')", level="WARNING") == []
