"""`manage.py policy` as a shell runs it, and files for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import load_command_class
from django.db import connections

from governance import configuration
from tests import factories
from tests.factories import AT, World

PROFILES = "version: 1\nprofiles:\n  - {name: steady, mode: enforce}\n"
ALIGN = """\
version: 1
groups:
  acme:
    policies:
      - name: align
        profile: steady
        tenants: "*"
        rules:
          - {name: crm, plugins: [crm], same: true, at: 2.4.0}
"""
FREEZE = """\
version: 1
groups:
  acme:
    holds:
      - {name: freeze, tenants: {keys: [tenant-b]}, plugins: [crm], until: in 9 days, reason: Books close.}
"""


@dataclass
class Answer:
    """How the command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said with --json."""
        return json.loads(self.out)


def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str = "policy"
) -> Callable[..., Answer]:
    """Runs the command on the acme group, at AT."""
    # A command's last act, which would end the test's transaction.
    monkeypatch.setattr(connections, "close_all", lambda: None)

    def run(*arguments: object) -> Answer:
        words = [str(argument) for argument in arguments]
        if "--group" not in words:
            words += ["--group", "acme"]
        code = 0
        with time_machine.travel(AT, tick=False):
            try:
                load_command_class("governance", command).run_from_argv(["manage.py", command, *words])
            except SystemExit as end:
                code = int(end.code or 0)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return run


def one_behind(world: World) -> World:
    """tenant-b runs an older crm than tenant-a."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return world


def write(folder: Path) -> Path:
    """The files that want both aligned."""
    (folder / configuration.PROFILES).write_text(PROFILES)
    (folder / configuration.BASELINES).write_text(ALIGN)
    return folder
