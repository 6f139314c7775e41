"""What callers send, checked field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sandbox.problems import FieldError, malformed
from sandbox.steps import Step

MANIFESTS_PER_PAGE = 500
MOST_MANIFESTS_PER_PAGE = 2000
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A well-formed order; `document` is its canonical text, by which two are compared."""

    group: str
    task: str
    tenant: str
    steps: tuple[Step, ...]
    callback_url: str | None
    document: str


@dataclass(frozen=True, slots=True)
class ManifestQuery:
    group: str
    since: int
    limit: int


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises a 400 Problem."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise malformed([FieldError("body", f"is not JSON: {error}")]) from error
    if not isinstance(value, dict):
        raise malformed([FieldError("body", "must be a JSON object")])
    return value


def idempotency_key(value: str | None) -> str:
    if value is None or not 0 < len(value.strip()) <= LONGEST_KEY:
        raise malformed(
            [FieldError("Idempotency-Key", f"must be given, with at most {LONGEST_KEY} characters")]
        )
    return value.strip()


def order_request(document: Mapping[str, Any]) -> OrderRequest:
    """Raises a 400 Problem that names every bad field."""
    errors = [
        FieldError(name, reason) for name, check in CHECKS.items() if (reason := check(document.get(name)))
    ] or _step_errors(document["steps"])
    if errors:
        raise malformed(errors)
    return OrderRequest(
        group=document["group"],
        task=document["task"],
        tenant=document["tenant"],
        steps=steps_of(document),
        callback_url=document.get("callback_url"),
        document=json.dumps(document, sort_keys=True, separators=(",", ":")),
    )


def steps_of(document: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(Step(step["plugin"], step["from"], step["to"]) for step in document["steps"])


def manifest_query(query: Mapping[str, str]) -> ManifestQuery:
    errors = []
    if not query.get("group"):
        errors.append(FieldError("group", "must be given"))
    since, limit = query.get("since", "0"), query.get("limit", str(MANIFESTS_PER_PAGE))
    # isdecimal alone lets other scripts' digits and numbers past SQLite's 64 bits through
    if not (since.isascii() and since.isdecimal() and len(since) <= 18):
        errors.append(FieldError("since", "must be a cursor that an earlier answer gave, or 0"))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= MOST_MANIFESTS_PER_PAGE):
        errors.append(FieldError("limit", f"must be from 1 to {MOST_MANIFESTS_PER_PAGE}"))
    if errors:
        raise malformed(errors)
    return ManifestQuery(query["group"], int(since), int(limit))


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a text that isn't empty"


def _version(value: Any) -> str | None:
    return None if value is None else _text(value) and "must be a version or null"


def _uuid(value: Any) -> str | None:
    try:
        UUID(value)
    except (ValueError, TypeError, AttributeError):
        return "must be a UUID"
    return None


def _moment(value: Any) -> str | None:
    if value is None:
        return None
    try:
        zoned = datetime.fromisoformat(value).tzinfo is not None
    except (ValueError, TypeError):
        zoned = False
    return None if zoned else "must be an ISO 8601 date and time with its zone, or null"


def _url(value: Any) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except (ValueError, TypeError, AttributeError):
        good = False
    return None if good else "must be an http or https address, or null"


def _steps(value: Any) -> str | None:
    return None if isinstance(value, list) and value else "must be a list that isn't empty"


CHECKS = {
    "group": _text,
    "plan": _uuid,
    "task": _uuid,
    "tenant": _text,
    "steps": _steps,
    "due_at": _moment,
    "callback_url": _url,
}


def _step_errors(steps: list[Any]) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for number, step in enumerate(steps):
        if not isinstance(step, dict):
            errors.append(FieldError(f"steps[{number}]", "must be an object"))
            continue
        found = _one_step_errors(step, f"steps[{number}]")
        if not found and step["plugin"] in seen:
            found = [FieldError(f"steps[{number}].plugin", "has a step already")]
        seen.add(str(step.get("plugin")))
        errors += found
    return errors


def _one_step_errors(step: Mapping[str, Any], place: str) -> list[FieldError]:
    errors = [FieldError(f"{place}.{end}", "must be given") for end in ("from", "to") if end not in step]
    checks = {"plugin": _text, "from": _version, "to": _version}
    errors += [
        FieldError(f"{place}.{name}", reason)
        for name, check in checks.items()
        if (reason := check(step.get(name)))
    ]
    if not errors and step["from"] is None and step["to"] is None:
        errors.append(FieldError(place, "must have a from or a to"))
    return errors
