"""A request repeated under the same Idempotency-Key gets the first one's answer and does nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.texts import tellable_in
from governance.api.authentication import access_of
from governance.api.problems import KeyReused
from governance.models import IdempotentAnswer

HEADER = "Idempotency-Key"
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint found out, as plain JSON."""

    body: dict[str, Any]
    status: int = 200
    replayed: bool = False


def once(request: Request, endpoint: str, do: Callable[[], Answer], *, required: bool = False) -> Answer:
    """Do it in one transaction with the note that it was done; without a key, just in one transaction.

    Raises KeyReused if the key came with another path, query or body before, ValidationError for a bad one
    or none.
    """
    key = _key(request, required=required)
    with transaction.atomic():
        if not key:
            return do()
        return _once_under(key, request, endpoint, do)


def in_steps(request: Request, endpoint: str, do: Callable[[], Answer]) -> Answer:
    """Do what has many transactions of its own, holds no lock between them, and may be done twice.

    It counts as done once it is through: until then a repeated request does it again. Raises as `once` does.
    """
    key = _key(request)
    if key and (given := _given(key, request, endpoint)) is not None:
        return given
    answer = do()
    return once(request, endpoint, lambda: answer)


def _key(request: Request, *, required: bool = False) -> str:
    key = request.headers.get(HEADER, "")
    if len(key) > LONGEST_KEY or (required and not key):
        raise ValidationError({HEADER: f"A key of 1 to {LONGEST_KEY} characters is needed."})
    return key


def _digest(request: Request) -> str:
    """Of what is asked of which record: the path names it, or the query, as of a plugins.txt."""
    asked = f"{request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(asked).hexdigest()


def _given(key: str, request: Request, endpoint: str) -> Answer | None:
    """The answer that was given under the key, if there was one. Raises KeyReused."""
    token_id: Any = access_of(request).actor.id
    given = IdempotentAnswer.objects.filter(token_id=token_id, endpoint=endpoint, key=key).first()
    if given is None:
        return None
    if given.request_digest != _digest(request):
        raise KeyReused(f"The {HEADER} {key} was used with another request before.")
    return Answer(given.body, given.status_code, replayed=True)


def _once_under(key: str, request: Request, endpoint: str, do: Callable[[], Answer]) -> Answer:
    token_id: Any = access_of(request).actor.id
    # Two requests with the same key at once: the second waits, then finds the first one's answer.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{token_id} {endpoint} {key}"]
        )
    if (given := _given(key, request, endpoint)) is not None:
        return given
    answer = do()
    answer = replace(answer, body=tellable_in(answer.body))  # what it quotes may be what can't be kept
    IdempotentAnswer.objects.create(
        token_id=token_id,
        endpoint=endpoint,
        key=key,
        request_digest=_digest(request),
        status_code=answer.status,
        body=answer.body,
        answered_at=timezone.now(),
    )
    return answer
