"""Who may do what: permissions, the actor, the reach of one request, and the rule that every view states."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse


class Permission(StrEnum):
    """What a role or a service token may be granted."""

    GROUP_VIEW = "group.view"  # the whole group: overview, tenants, snapshots, policies
    TENANT_VIEW = "tenant.view"  # tenants within reach: installations, findings, tasks
    LEDGER_VIEW = "ledger.view"
    REPORT_VIEW = "report.view"
    REPORT_BUILD = "report.build"
    CATALOGUE_EDIT = "catalogue.edit"
    MANIFEST_PUSH = "manifest.push"
    SNAPSHOT_SEAL = "snapshot.seal"
    POLICY_EDIT = "policy.edit"
    POLICY_SIMULATE = "policy.simulate"
    POLICY_ENFORCE = "policy.enforce"
    PLAN_OPERATE = "plan.operate"  # start, pause, resume, cancel, stop the whole group
    PLAN_APPROVE = "plan.approve"
    ROLLBACK_OPERATE = "rollback.operate"  # take tenants back, and have policies give way to it
    RECONCILE = "reconcile"  # compare all that should agree, and repair it
    TASK_CORRECT = "task.correct"  # say what was done by hand instead of an upgrade task
    WINDOW_AGREE = "window.agree"  # when a tenant may be changed
    CONFLICT_DECIDE = "conflict.decide"
    EXEMPTION_REQUEST = "exemption.request"
    EXEMPTION_DECIDE = "exemption.decide"
    REMINDER_ACKNOWLEDGE = "reminder.acknowledge"
    UPGRADE_WRITE = "upgrade.write"  # hand over an upgrade plan by the outbound contract
    NOTIFY_SEND = "notify.send"
    AUDIT_WRITE = "audit.write"
    METRICS_READ = "metrics.read"
    GROUP_ADMINISTER = "group.administer"  # flags, members, tokens


class ActorKind(StrEnum):
    """What sort of party acts."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who a ledger record names. `id` is a user's or token's id, None for the system itself."""

    kind: ActorKind
    id: int | None
    name: str


SYSTEM = Actor(ActorKind.SYSTEM, None, "plumbline")


@dataclass(frozen=True, slots=True)
class Access:
    """What one actor reaches in one group. `tenant_ids` None stands for every tenant of the group."""

    actor: Actor
    group_id: int
    group_slug: str
    group_name: str
    permissions: frozenset[Permission]
    tenant_ids: frozenset[int] | None
    home: str = "overview"

    def allows(self, permission: Permission) -> bool:
        """Whether the actor holds the permission in this group."""
        return permission in self.permissions

    @property
    def whole_group(self) -> bool:
        """Whether the actor reaches every tenant of the group."""
        return self.tenant_ids is None

    def link(self, name: str, *args: Any, **kwargs: Any) -> str:
        """The address of a console page within this group."""
        if args:
            return reverse(name, args=[self.group_slug, *args])
        return reverse(name, kwargs={"group": self.group_slug, **kwargs})


class ConsoleRequest(HttpRequest):
    """A request on which the access middleware has put what the actor may reach."""

    access: Access
    actor: Actor
    htmx: Any


class View(Protocol):
    """A view as Django calls it."""

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def requires(*permissions: Permission) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., Any]]:
    """Let a view be reached only by actors who hold one of the permissions; for others it isn't there.

    The middleware has answered anonymous requests with the login page before this is asked.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
        @functools.wraps(view)
        def guarded(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            access: Access | None = getattr(request, "access", None)
            if access is None or not any(access.allows(permission) for permission in permissions):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.access_rule = permissions  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(reason: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., Any]]:
    """Mark a view that anyone may reach, with the reason why."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
        @functools.wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        opened.access_rule = reason  # type: ignore[attr-defined]
        return opened

    return decorate


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., Any]:
    """Mark a view for any signed-in person, such as the choice of a group."""
    from django.contrib.auth.decorators import login_required

    guarded: Callable[..., Any] = login_required(view)
    guarded.access_rule = "signed in"  # type: ignore[attr-defined]
    return guarded
