"""YAML to JSON values, with the line of each.

Only what JSON has: true and false, null, whole numbers, text. YAML 1.1 would read `on` as true, `2.10` as
2.1, `1:30` as 90 and `2026-12-31` as an object of its own; versions and dates are texts, so here they stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from config.texts import paired, tellable
from governance.documents import syntax
from governance.documents.problems import ConfigurationError, Problem

Place = tuple[str | int, ...]

_PLAIN: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("tag:yaml.org,2002:bool", re.compile("true|false"), "tf"),
    ("tag:yaml.org,2002:null", re.compile("~|null|"), "~n\0"),
    ("tag:yaml.org,2002:int", re.compile("-?(?:0|[1-9][0-9]{0,17})"), "-0123456789"),
)
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
# Ten thousand exemptions are a tenth of either; aliases make many values out of few characters.
_LONGEST = 20_000_000
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where each of its values stands."""

    file: str
    data: Any
    lines: Mapping[Place, int] = field(default_factory=dict)

    def problem(self, place: Place, reason: str) -> Problem:
        """A problem at a place; its line is that of the nearest value around it that has one."""
        around = place
        while around and around not in self.lines:
            around = around[:-1]
        return Problem(self.file, self.lines.get(around, 0), spelled(place), reason)


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars by _PLAIN alone."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for _tag, _pattern, _first in _PLAIN:
    for _letter in _first:
        _Loader.yaml_implicit_resolvers.setdefault("" if _letter == "\0" else _letter, []).append(
            (_tag, re.compile(f"(?:{_pattern.pattern})$"))
        )


def read(path: Path) -> Source:
    """The file at that path. Raises ConfigurationError if there is none or it isn't YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(path), 0, "", f"can't be read: {error}")]) from error
    return parse(text, file=str(path))


def parse(text: str, *, file: str) -> Source:
    """A text of YAML (JSON is YAML too). Raises ConfigurationError with the line of what is wrong."""
    if len(text) > _LONGEST:
        raise ConfigurationError([Problem(file, 0, "", f"is longer than {_LONGEST} characters")])
    try:
        loader = _Loader(text)
    except ReaderError as error:
        raise ConfigurationError([_refused(file, text, error)]) from error
    try:
        root = loader.get_single_node()
        if root is None:
            raise ConfigurationError([Problem(file, 1, "", "is empty")])
        walk = _Walk(file, loader)
        data = walk.value(root, ())
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError([_refused(file, text, error)]) from error
    except RecursionError as error:
        raise ConfigurationError([Problem(file, 0, "", "goes deeper than can be read")]) from error
    except (ValueError, OverflowError) as error:  # of an escape, or in the version of YAML
        line = loader.get_mark().line + 1
        raise ConfigurationError([Problem(file, line, "", "names a number that is too large")]) from error
    finally:
        loader.dispose()
    if walk.problems:
        raise ConfigurationError(walk.problems)
    return Source(file, data, walk.lines)


def spelled(place: Place) -> str:
    """groups.acme.policies[0].name"""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return tellable(text)


class _Walk:
    """One pass over the node graph."""

    def __init__(self, file: str, loader: _Loader) -> None:
        self.file = file
        self.loader = loader
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._around: list[yaml.Node] = []
        self._count = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        """The node as a JSON value."""
        self.lines.setdefault(place, node.start_mark.line + 1)
        self._count += 1
        if self._count > _MOST:
            raise yaml.MarkedYAMLError(problem=f"more than {_MOST} values", problem_mark=node.start_mark)
        if any(node is outer for outer in self._around):
            return self._refuse(node, place, "refers to itself")
        self._around.append(node)
        try:
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node, place)
            if node.tag not in _COLLECTIONS:
                return self._refuse(node, place, f"the tag “{_short(node.tag)}” isn't allowed here")
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        finally:
            self._around.pop()

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, place, "a key must be text")
                continue
            key = paired(key_node.value)
            if key in found:
                self._refuse(key_node, (*place, key), f"“{key}” stands here twice")
                continue
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*place, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if node.style in ("|", ">") and not node.value:
            reason = f"“{node.style}” begins a text of several lines, of which there is none: {syntax.QUOTES}"
            return self._refuse(node, place, reason)
        if kind == "str":
            return paired(node.value)
        if not any(tag == node.tag and pattern.fullmatch(node.value) for tag, pattern, _ in _PLAIN):
            what = f"on “{node.value}”" if node.value else "here"
            reason = f"the tag “{_short(node.tag)}” isn't allowed {what}: {syntax.QUOTES}"
            return self._refuse(node, place, reason)
        if kind == "int":
            return int(node.value)
        return None if kind == "null" else node.value == "true"

    def _refuse(self, node: yaml.Node, place: Place, reason: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, spelled(place), reason))


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _refused(file: str, text: str, error: yaml.MarkedYAMLError | ReaderError) -> Problem:
    line, reason = syntax.told(error, text)
    return Problem(file, line, "", f"isn't YAML: {reason}")
