"""Policies supposed to be in force: compiled beside the real ones, and taken back with the savepoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from config.access import Actor
from governance import compilation, moments, policies
from governance.documents import ConfigurationError
from governance.models import Configuration, Exemption, Plugin, Policy, Profile, Rule
from governance.policy_documents import Document
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed to be in force beside what is: each stands in for that of its name.

    `exemptions` are as in the YAML; their policies may be supposed ones. `retired` names policies that are
    supposed not to be there, `ended` exemptions of the YAML.
    """

    policies: Sequence[Document] = ()
    profiles: Sequence[Document] = ()
    exemptions: Sequence[Document] = ()
    retired: Sequence[str] = ()
    ended: Sequence[str] = ()
    sla: Mapping[str, int] | None = None

    def as_document(self) -> dict[str, Any]:
        """For the simulation's record and digest."""
        return {
            "policies": [dict(document) for document in self.policies],
            "profiles": [dict(document) for document in self.profiles],
            "exemptions": [dict(document) for document in self.exemptions],
            "retired": sorted(self.retired),
            "ended": sorted(self.ended),
            "sla": dict(self.sla) if self.sla is not None else None,
        }


@contextmanager
def supposed(group: Group, what: Supposition, *, actor: Actor, at: datetime) -> Iterator[None]:
    """Within it, the rules in force are as if this were applied. Raises ConfigurationError.

    A savepoint takes all of it back, its locks too: nobody else ever sees it, and nobody waits for it.
    """
    with transaction.atomic():
        _profiles(group, what, at)
        for name in what.retired:
            Policy.objects.filter(group=group, name=name).update(status=Policy.Status.RETIRED)
        for document in what.policies:
            _policy(group, document, actor, at)
        Exemption.objects.filter(group=group, name__in=what.ended).update(status=Exemption.Status.REVOKED)
        for document in what.exemptions:
            _exempt(group, document, actor, at)
        settle(group, at)
        yield
        transaction.set_rollback(True)


def settle(group: Group, at: datetime) -> None:
    """Bring the compiled rules in line with the tenants, the catalogue and each other, as detection does."""
    compilation.recompile(group, at=at)
    in_force = Rule.objects.filter(group=group).in_force(at).values_list("pk", flat=True)
    compilation.settle_targets(group.pk, list(in_force), at)


def _profiles(group: Group, what: Supposition, at: datetime) -> None:
    if what.sla is not None:
        defaults = {"sla": dict(what.sla), "applied_at": at, "applied_by_name": ""}
        Configuration.objects.update_or_create(group=group, defaults=defaults)
    for document in what.profiles:
        defaults = {"document": dict(document), "mode": document["mode"]}
        Profile.objects.update_or_create(group=group, name=document["name"], defaults=defaults)


def _policy(group: Group, document: Document, actor: Actor, at: datetime) -> None:
    problems, _ = policies.check(group, document, at=at, file=str(document.get("name", "policy")))
    if problems:
        raise ConfigurationError(problems)
    policies.bind(policies.draft_version(group, document, actor=actor, at=at), at=at)


def _exempt(group: Group, document: Document, actor: Actor, at: datetime) -> None:
    Exemption.objects.create(
        group=group,
        tenant=Tenant.objects.get(group=group, key=document["tenant"]),
        policy=Policy.objects.get(group=group, name=document["policy"]),
        rule_key=document.get("rule", ""),
        plugin=Plugin.objects.filter(group=group, name=document.get("plugin", "")).first(),
        reason=document["reason"],
        status=Exemption.Status.APPROVED,
        starts_at=at,
        expires_at=moments.ending(document["until"], at=at),
        requested_by_name=actor.name,
        requested_at=at,
        decided_at=at,
    )
