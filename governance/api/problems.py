"""Failures as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from rest_framework import exceptions
from rest_framework import serializers as s
from rest_framework.response import Response
from rest_framework.views import set_rollback

from audit.senders import Undeliverable
from config.lifecycle import TransitionError
from governance import (
    conflicts,
    corrections,
    directories,
    exemptions,
    flags,
    halting,
    maintenance,
    pipeline,
    plans,
    restoring,
    simulation,
)
from governance.catalogue_formats import CatalogueError
from governance.configuration import ConfigurationError
from governance.orchestrator import CallbackRefused
from tenants.groups import LanguageFiled
from tenants.people import AddressRefused
from tenants.policy_owners import NotInReach

CONTENT_TYPE = "application/problem+json"


class KeyReused(Exception):
    """An Idempotency-Key that came with another request before."""


class Problem(s.Serializer[Any]):
    """One thing that is wrong, and where; `line` is 0 where a text has none, such as a request's JSON."""

    file = s.CharField()
    line = s.IntegerField()
    place = s.CharField()
    reason = s.CharField()


class Unusable(s.Serializer[Any]):
    """A refusal (RFC 9457) of what can't be used, with all that is wrong with it."""

    type = s.CharField()
    title = s.CharField()
    status = s.IntegerField()
    detail = s.CharField()
    problems = Problem(many=True)


# The domain's failures by what they mean to a caller: status, type, title.
_MEANINGS: dict[type[Exception], tuple[HTTPStatus, str, str]] = {
    flags.FlagOff: (HTTPStatus.CONFLICT, "flag-off", "Switched off"),
    pipeline.RunUnderWay: (HTTPStatus.CONFLICT, "run-under-way", "A run is under way"),
    plans.WorldMoved: (HTTPStatus.CONFLICT, "world-moved", "The world moved"),
    simulation.Outdated: (HTTPStatus.CONFLICT, "world-moved", "The world moved"),
    simulation.WorldMoving: (HTTPStatus.CONFLICT, "world-moving", "The world is moving"),
    simulation.NotApplicable: (HTTPStatus.CONFLICT, "not-applicable", "Not to be applied"),
    simulation.NeedsAnother: (HTTPStatus.CONFLICT, "four-eyes", "Someone else must decide"),
    restoring.NothingToRestore: (HTTPStatus.CONFLICT, "nothing-to-restore", "Nothing to restore"),
    plans.FourEyes: (HTTPStatus.CONFLICT, "four-eyes", "Someone else must approve"),
    plans.NeedsApproval: (HTTPStatus.CONFLICT, "four-eyes", "Someone else must approve"),
    directories.StillRead: (HTTPStatus.CONFLICT, "still-read", "LDAP says so"),
    LanguageFiled: (HTTPStatus.CONFLICT, "filed", "The directory file says it"),
    AddressRefused: (HTTPStatus.CONFLICT, "not-yours", "Not for this group to change"),
    NotInReach: (HTTPStatus.UNPROCESSABLE_ENTITY, "not-in-reach", "Doesn't reach the group"),
    halting.AlreadySo: (HTTPStatus.CONFLICT, "wrong-state", "Already so"),
    maintenance.EndedAlready: (HTTPStatus.CONFLICT, "wrong-state", "Already so"),
    corrections.TenantBusy: (HTTPStatus.CONFLICT, "tenant-busy", "The tenant has another task"),
    TransitionError: (HTTPStatus.CONFLICT, "wrong-state", "Not in that state"),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", "Idempotency-Key used for another request"),
    simulation.NotSupposable: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "supposition",
        "What is supposed can't be used",
    ),
    ConfigurationError: (HTTPStatus.UNPROCESSABLE_ENTITY, "configuration", "The policies are not valid"),
    CatalogueError: (HTTPStatus.UNPROCESSABLE_ENTITY, "catalogue", "The catalogue is not valid"),
    conflicts.DecisionRefused: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "decision",
        "Not a decision on this conflict",
    ),
    exemptions.FourEyes: (HTTPStatus.CONFLICT, "four-eyes", "Someone else must decide"),
    Undeliverable: (HTTPStatus.UNPROCESSABLE_ENTITY, "refused", "Refused"),
    CallbackRefused: (HTTPStatus.UNAUTHORIZED, "callback-refused", "The callback is not trusted"),
}


def handle(failure: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: None lets an unforeseen failure become a 500."""
    set_rollback()
    if isinstance(failure, tuple(_MEANINGS)):
        return refusal(failure)
    if isinstance(failure, Http404 | ObjectDoesNotExist):
        return problem(HTTPStatus.NOT_FOUND, "not-found", "Not found", "There is nothing of that name here.")
    if isinstance(failure, exceptions.ValidationError):
        errors = list(_flat(failure.detail))
        detail = "; ".join(f"{error['field']}: {error['reason']}" for error in errors)
        return problem(HTTPStatus.BAD_REQUEST, "invalid", "The request is not valid", detail, errors=errors)
    if isinstance(failure, exceptions.APIException):
        return _of_framework(failure)
    return None


def refusal(failure: Exception) -> Response:
    """What one of the domain's failures means to a caller."""
    status, name, title = next(said for kind, said in _MEANINGS.items() if isinstance(failure, kind))
    more: dict[str, Any] = {}
    if isinstance(failure, ConfigurationError):
        more["problems"] = [one.as_json() for one in failure.problems]
    return problem(status, name, title, str(failure), **more)


def problem(status: HTTPStatus, name: str, title: str, detail: str, **more: Any) -> Response:
    """A response that says what is wrong; `name` ends its type, a URI that is only a name."""
    document = {
        "type": f"urn:plumbline:problem:{name}",
        "title": title,
        "status": status.value,
        "detail": detail,
        **more,
    }
    return Response(document, status=status, content_type=CONTENT_TYPE)


def _of_framework(failure: exceptions.APIException) -> Response:
    status = HTTPStatus(failure.status_code)
    response = problem(status, status.name.lower().replace("_", "-"), status.phrase, str(failure.detail))
    if header := getattr(failure, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Nested field errors as a list of {"field": dotted path, "reason": text}."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}[{index}]")
    else:
        for reason in detail if isinstance(detail, list) else [detail]:
            yield {"field": path or "body", "reason": str(reason)}
