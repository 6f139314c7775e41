"""The language of message templates: placeholders, conditions, and one loop over a list of the message's own.

It is Django's, cut down: an engine without loaders, whose only tags are `if` and `for`, whose only values are
plain ones, and whose placeholders are checked against those that the message has before anything is kept.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import FilterExpression, Node, NodeList, TextNode, Variable, VariableNode
from django.template.defaulttags import ForNode, IfNode, TemplateLiteral
from django.utils import translation

LONGEST_SOURCE = 20_000
LONGEST_RESULT = 200_000

# A placeholder's description; a list's is that of its items.
Placeholders = Mapping[str, "str | Mapping[str, str]"]

_LOOP = frozenset({"first", "last", "counter"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template, and in which line of it."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


class TooLong(ValueError):
    """A message that has become longer than anybody reads, or any channel takes."""


class _Engine(Engine):
    default_builtins: list[str] = []  # not even Django's own: these load, include and debug


_ENGINE = _Engine(builtins=["governance.messages.vocabulary"], autoescape=True)


def render(source: str, values: Mapping[str, Any], *, html: bool) -> str:
    """The message. Values are escaped in HTML. Raises TooLong."""
    context = Context(_plain(dict(values)), autoescape=html)
    with translation.override("en"):  # figures are written alike in every message
        text = str(_parsed(source).render(context))
    if len(text) > LONGEST_RESULT:
        raise TooLong(f"The message is longer than {LONGEST_RESULT:,} characters.")
    return text


@functools.lru_cache(maxsize=256)
def _parsed(source: str) -> Template:
    """Parsed once for however many readers."""
    return Template(source, engine=_ENGINE)


def faults(source: str, known: Placeholders) -> list[Fault]:
    """What is wrong with a template whose message has these placeholders; nothing of it is run."""
    if len(source) > LONGEST_SOURCE:
        line = source[:LONGEST_SOURCE].count("\n") + 1
        return [Fault(line, f"it is longer than {LONGEST_SOURCE:,} characters from here on")]
    try:
        parsed = Template(source, engine=_ENGINE)
    except TemplateSyntaxError as error:
        return [_syntax(error)]
    except RecursionError:
        return [Fault(1, "its conditions are nested too deeply")]
    return list(_check(parsed.nodelist, _Scope(known)))


@dataclass(frozen=True, slots=True)
class _Scope:
    known: Placeholders
    item: str = ""  # the loop's variable
    fields: Mapping[str, str] | None = None

    def reason(self, path: Sequence[str]) -> str:
        """Why there is no such placeholder; empty if there is."""
        first, rest = path[0], tuple(path[1:])
        if self.fields is not None and first == self.item and len(rest) == 1:
            if rest[0] in self.fields:
                return ""
            return f"“{'.'.join(path)}” isn't known; {first} has {', '.join(self.fields)}"
        if self.fields is not None and first == "forloop" and len(rest) == 1 and rest[0] in _LOOP:
            return ""
        if first in self.known and not rest:
            return ""
        return f"“{'.'.join(path)}” isn't known; there are {', '.join(self.known)}"


def _check(nodes: NodeList, scope: _Scope) -> Iterator[Fault]:
    for node in nodes:
        if isinstance(node, VariableNode):
            yield from _expression(node.filter_expression, scope, node)
        elif isinstance(node, IfNode):
            for condition, inner in node.conditions_nodelists:
                yield from _condition(condition, scope, node)
                yield from _check(inner, scope)
        elif isinstance(node, ForNode):
            yield from _loop(node, scope)
        elif not isinstance(node, TextNode):
            yield Fault(_line(node), "only if and for are known")


def _loop(node: Any, scope: _Scope) -> Iterator[Fault]:
    if scope.fields is not None:
        yield Fault(_line(node), "a loop can't stand within a loop")
        return
    if len(node.loopvars) != 1:
        yield Fault(_line(node), "a loop has one variable")
        return
    sequence = node.sequence.var
    path = sequence.lookups or () if isinstance(sequence, Variable) else ()
    fields = scope.known.get(path[0]) if len(path) == 1 else None
    if not isinstance(fields, Mapping) or node.sequence.filters:
        lists = [name for name, told in scope.known.items() if isinstance(told, Mapping)]
        yield Fault(
            _line(node), f"a loop goes over one of {', '.join(lists) or 'no list: there is none here'}"
        )
        return
    yield from _check(node.nodelist_loop, _Scope(scope.known, node.loopvars[0], fields))
    yield from _check(node.nodelist_empty, scope)


def _condition(condition: Any, scope: _Scope, node: Node) -> Iterator[Fault]:
    if isinstance(condition, TemplateLiteral):
        expression: Any = condition.value
        yield from _expression(expression, scope, node)
        return
    for part in (getattr(condition, "first", None), getattr(condition, "second", None)):
        if part is not None:
            yield from _condition(part, scope, node)


def _expression(expression: FilterExpression, scope: _Scope, node: Node) -> Iterator[Fault]:
    arguments = [value for _, args in expression.filters for _, value in args]
    for value in (expression.var, *arguments):
        lookups = value.lookups if isinstance(value, Variable) else None
        if lookups is not None and (reason := scope.reason(lookups)):
            yield Fault(_line(node), reason)


def _syntax(error: TemplateSyntaxError) -> Fault:
    token = getattr(error, "token", None)
    said = str(error).split("\n")[0].replace("Did you forget to register or load this tag?", "").strip()
    if said.startswith("Invalid block tag"):
        said = f"{said} Only if and for are known."
    return Fault(getattr(token, "lineno", None) or 1, said)


def _line(node: Node) -> int:
    return int(getattr(getattr(node, "token", None), "lineno", None) or 1)


def _plain(value: Any) -> Any:
    """The value, if there is nothing in it that a template could call or look into."""
    if value is None or type(value) in (str, int, bool):
        return value
    if type(value) is list:
        return [_plain(item) for item in value]
    if type(value) is dict:
        return {str(key): _plain(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} is no plain value")
