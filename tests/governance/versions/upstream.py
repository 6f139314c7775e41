"""Asks a dialect the cases of its upstream's own tests."""

from pathlib import Path
from typing import Any

from governance.replaying import Outcome
from governance.versions import replay

CASES = Path(__file__).parent / "cases"


def outcome(name: str) -> Outcome:
    """How the case file of this name goes."""
    return replay.replay(replay.read(CASES / f"{name}.json.gz"))


def document(name: str) -> dict[str, Any]:
    """The case file of this name as it is."""
    return dict(replay.read(CASES / f"{name}.json.gz"))
