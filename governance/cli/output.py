"""How a command answers: JSON for scripts, tables and progress for people, an exit code for both."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Literal, NoReturn

import click
import typer
from django.core.exceptions import ObjectDoesNotExist
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config import borrowed
from config.access import Actor, ActorKind
from config.lifecycle import TransitionError
from governance import (
    conflicts,
    corrections,
    directories,
    flags,
    halting,
    maintenance,
    pipeline,
    plans,
    simulation,
)
from governance.documents import ConfigurationError
from governance.handovers import NotRevivable
from tenants.deputies import DeputyRefused
from tenants.groups import LanguageFiled
from tenants.models import Group
from tenants.people import AddressRefused
from tenants.policy_owners import NotInReach


class Exit(IntEnum):
    """The exit codes of `policy`."""

    FINE = 0  # done, or nothing to do
    FAILED = 1
    USAGE = 2
    DIFFERENT = 3  # differences found, changes pending
    DECISION = 4  # a person has to decide
    REFUSED = 5  # switched off, in the wrong state, or the world moved


_REFUSALS = (
    flags.FlagOff,
    pipeline.RunUnderWay,
    halting.AlreadySo,
    maintenance.EndedAlready,
    plans.WorldMoved,
    plans.NeedsApproval,
    plans.FourEyes,
    conflicts.DecisionRefused,
    corrections.TenantBusy,
    simulation.Outdated,
    simulation.NotApplicable,
    simulation.NeedsAnother,
    simulation.WorldMoving,
    directories.StillRead,
    NotRevivable,
    DeputyRefused,
    LanguageFiled,
    AddressRefused,
    NotInReach,
    TransitionError,
)


_NAME = 26  # as long as this, a name stays on one line
_WIDE = 2_000  # where there is no terminal: programs read it, and nothing is to be cut or wrapped


class Output:
    """Where an answer goes. With `as_json`, standard output holds one document and nothing else."""

    def __init__(self, write: Callable[[str], Any], *, as_json: bool) -> None:
        self._write = write
        self.as_json = as_json
        self.console = Console(stderr=as_json, quiet=as_json, highlight=False)
        if not self.console.is_terminal:
            self.console.width = _WIDE

    def answer(self, document: Mapping[str, Any], show: Callable[[], None]) -> None:
        """The document for scripts, or what `show` prints for people."""
        if self.as_json:
            self._write(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        else:
            show()

    def say(self, text: str, style: str = "") -> None:
        """A line for people."""
        self.console.print(escape(text), style=style or None)

    def warn(self, warnings: Iterable[object]) -> None:
        """What may be a slip, on standard error; with `as_json`, the document has it."""
        if not self.as_json:
            for warning in warnings:
                self.complain(f"warning: {warning}", "yellow")

    def complain(self, text: str, style: str) -> None:
        """A line on standard error, in one where there is no terminal: logs are searched for `file:line:`."""
        console = Console(stderr=True, highlight=False)
        console.print(escape(text), style=style, soft_wrap=not console.is_terminal)

    def confirm(self, question: str) -> None:
        """Ask where there is someone to ask, which is at a terminal. Raises typer.Abort at a no."""
        if not self.as_json and sys.stdin.isatty():
            typer.confirm(question, abort=True)

    def table(self, title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table for people; figures stand on the right.

        A version that is cut looks like another one, so what has no room ends in an ellipsis.
        """
        table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
        filled = [list(row) for row in rows]
        for place, heading in enumerate(headings):
            figures = bool(filled) and all(isinstance(row[place], int) for row in filled)
            short = max((len(str(row[place])) for row in filled), default=0) <= _NAME
            justify: Literal["left", "right"] = "right" if figures else "left"
            overflow: Literal["ellipsis", "fold"] = "ellipsis" if short else "fold"
            table.add_column(heading, justify=justify, overflow=overflow, no_wrap=short)
        for row in filled:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        self.console.print(table)

    def stop(self, code: Exit, reason: str, **more: Any) -> NoReturn:
        """End with a reason."""
        if self.as_json:
            self._write(json.dumps({"error": reason, **more}, indent=2, ensure_ascii=False))
        else:
            self.complain(reason, "red")
        end(code)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn the domain's failures into exit codes."""
        try:
            yield
        except ConfigurationError as failure:
            problems = [problem.as_json() for problem in failure.problems]
            self.stop(Exit.FAILED, str(failure), problems=problems)
        except _REFUSALS as refusal:
            self.stop(Exit.REFUSED, str(refusal))
        except typer.BadParameter as wrong:
            self.stop(Exit.USAGE, wrong.message)
        except typer.Abort:  # who was asked said no, or nothing
            self.stop(Exit.DIFFERENT, "Nothing was changed.")
        except (ObjectDoesNotExist, borrowed.NotReady) as failure:
            self.stop(Exit.FAILED, str(failure))


def end(code: Exit) -> NoReturn:
    """End the process with this exit code; raised within these commands, typer.Exit would end it with 0."""
    raise SystemExit(int(code))


class ExitCodes:
    """Lets a command's unknown options and missing arguments end with USAGE too, not with 1."""

    def __exit__(self, kind: Any, failure: Any, trace: Any) -> None:
        """See django_typer's TyperCommand, which this comes before."""
        try:
            super().__exit__(kind, failure, trace)  # type: ignore[misc]
        except SystemExit:
            if isinstance(failure, click.UsageError):
                end(Exit.USAGE)
            raise


def group_of(slug: str | None) -> Group:
    """The group of that slug; without one, the only group that there is."""
    groups = list(Group.objects.order_by("slug"))
    if slug is None and len(groups) == 1:
        return groups[0]
    for group in groups:
        if group.slug == slug:
            return group
    names = ", ".join(group.slug for group in groups) or "none yet"
    wrong = f"There is no group {slug}." if slug else "Name the group with --group."
    raise typer.BadParameter(f"{wrong} Groups: {names}.")


def operator() -> Actor:
    """Whoever runs the command. The operating system says who it is, so it is no person of Plumbline's."""
    return Actor(ActorKind.SYSTEM, None, f"{getpass.getuser()} at the command line")
