"""Refusals as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    reason: str


class Problem(Exception):
    """A request that is refused; the server turns it into its answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [asdict(error) for error in self.errors]
        return document


def malformed(errors: Sequence[FieldError]) -> Problem:
    detail = "; ".join(f"{error.field} {error.reason}" for error in errors)
    return Problem(HTTPStatus.BAD_REQUEST, detail, errors)


def not_found(detail: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, detail)


def conflict(detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, detail)
