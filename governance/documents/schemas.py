"""The published JSON Schemas, and their refusals in words for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource

from config.texts import UNKEEPABLE, did_you_mean
from governance.documents.problems import Problem
from governance.documents.reading import Place, Source

BASELINES = "multi_tenant_baselines.schema.json"
PROFILES = "policy_profiles.schema.json"
SIMULATION = "simulation.schema.json"
DIRECTORY = "directory.schema.json"
NAMES = (BASELINES, PROFILES, DIRECTORY, SIMULATION)

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "nothing",
}


@cache
def schema(name: str) -> dict[str, Any]:
    """A published schema by its file name."""
    path = settings.BASE_DIR / "config" / "version" / name
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(name: str, definition: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resources(
        [(each, Resource.from_contents(schema(each))) for each in NAMES]
    )
    reference = f"{name}#/$defs/{definition}" if definition else name
    return Draft202012Validator({"$ref": reference}, registry=registry)


def problems(source: Source, name: str, *, definition: str = "") -> Iterator[Problem]:
    """What in the document breaks the schema, or the one of its definitions that is named."""
    for place, text in _texts(source.data, ()):
        if UNKEEPABLE.search(text):
            yield source.problem(place, "holds a character that can't be kept: NUL or half a surrogate pair")
    for error in _validator(name, definition).iter_errors(source.data):
        for cause in _causes(error):
            path: Place = tuple(cause.absolute_path)
            for at, reason in _reasons(cause, path):
                yield source.problem(at, reason)


def _texts(data: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _texts(item, (*place, index))
    elif isinstance(data, dict):
        for key, item in data.items():
            yield place, str(key)
            yield from _texts(item, (*place, key))


def _causes(error: ValidationError) -> list[ValidationError]:
    """What a person should be told: inside a choice, what is wrong with the branch that comes nearest."""
    if error.validator in {"oneOf", "anyOf"} and error.context and not _chooses_keys(error):
        nearest = best_match(_of_type(error))
        return _causes(nearest) if nearest is not None else [error]
    return [error]


def _of_type(error: ValidationError) -> list[ValidationError]:
    """The errors of those branches that want the type that is there, if there are any."""
    context = list(error.context or ())
    wrong = {e.schema_path[0] for e in context if e.validator in {"type", "const"} and len(e.path) == 0}
    return [e for e in context if e.schema_path[0] not in wrong] or context


def _chooses_keys(error: ValidationError) -> bool:
    """Whether the choice is between keys, of which exactly one must be there."""
    return all(set(branch) == {"required"} for branch in _wanted(error))


def _reasons(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    explain = _EXPLANATIONS.get(str(error.validator), _generic)
    yield from explain(error, place)


def _wanted(error: ValidationError) -> Any:
    """What the schema says."""
    return error.validator_value


def _given(error: ValidationError) -> Any:
    """What the document says."""
    return error.instance


def _unknown(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
    for key in _given(error):
        if key not in known:
            hint = did_you_mean(key, known) or f"; known here: {', '.join(known)}"
            yield (*place, key), f"unknown key “{key}”{hint}"


def _type(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    wanted = _TYPES.get(str(_wanted(error)), str(_wanted(error)))
    hint = "; put it in quotes" if _wanted(error) == "string" and _plain(_given(error)) else ""
    yield place, f"must be {wanted}, not {_shown(_given(error))}{hint}"


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int)


def _required(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    wanted = _wanted(error)
    missing = [key for key in wanted if key not in _given(error)] if isinstance(wanted, list) else []
    # One error a missing key arrives; each says its own.
    told = next((f"“{key}” is missing" for key in missing if f"'{key}'" in error.message), error.message)
    yield place, told


def _enum(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    choices = [str(choice) for choice in _wanted(error)]
    yield place, f"{_shown(_given(error))} isn't one of {', '.join(choices)}"


def _const(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    besides = "".join(f" or {_TYPES[kind]}" for kind in _types_beside(error))
    yield place, f"must be {_shown(_wanted(error))}{besides}, not {_shown(_given(error))}"


def _types_beside(error: ValidationError) -> Iterator[str]:
    """The types that the other branches of the choice around it want."""
    choice = error.parent
    if isinstance(choice, ValidationError) and choice.validator in {"oneOf", "anyOf"}:
        for branch in _wanted(choice):
            if branch.get("type") in _TYPES:
                yield branch["type"]


def _pattern(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    wanted = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    yield place, f"{_shown(_given(error))} isn't of the form that is wanted. {wanted}".strip()


def _one_of(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    if not _chooses_keys(error):
        yield from _generic(error, place)
        return
    keys = [branch["required"][0] for branch in _wanted(error)]
    given = [key for key in keys if key in _given(error)]
    if given:
        yield (*place, given[1] if len(given) > 1 else given[0]), f"{' and '.join(given)} exclude each other"
    else:
        yield place, f"needs one of {', '.join(keys)}"


def _excluded(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    keys = _wanted(error).get("required", [])
    yield (*place, *keys[1:2]), f"{' and '.join(keys)} exclude each other"


def _dependent(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    for key, needed in _wanted(error).items():
        missing = [other for other in needed if other not in _given(error)]
        if key in _given(error) and missing:
            yield (*place, key), f"“{key}” needs “{missing[0]}” beside it"


def _bounds(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    word = {"minimum": "at least", "maximum": "at most"}[str(error.validator)]
    yield place, f"must be {word} {_wanted(error)}, not {_given(error)}"


def _empty(_: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    yield place, "must not be empty"


def _generic(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    yield place, error.message


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


_EXPLANATIONS: dict[str, Callable[[ValidationError, Place], Iterator[tuple[Place, str]]]] = {
    "additionalProperties": _unknown,
    "type": _type,
    "required": _required,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "oneOf": _one_of,
    "not": _excluded,
    "dependentRequired": _dependent,
    "minimum": _bounds,
    "maximum": _bounds,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
}
