"""Policies supposed to be in force: compiled beside the real ones, and taken back with the savepoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from config.access import Actor
from governance import catalogue, compilation, decisions, moments, policies, sameness
from governance.catalogue_formats import CatalogueError
from governance.documents import ConfigurationError, Problem
from governance.models import Configuration, Exemption, Plugin, Policy, Profile, Release, Rule
from governance.outcomes import evaluate_outcomes
from governance.policy_documents import Document
from governance.simulation import reading, standing_in
from governance.simulation.supposition import Supposition
from governance.simulation.weighing import Scene
from tenants.models import Group, Tenant


@contextmanager
def supposed(scene: Scene, what: Supposition, *, actor: Actor, at: datetime) -> Iterator[None]:
    """Within it, the rules in force are as if this had been applied at that time. Raises ConfigurationError.

    A savepoint takes all of it back, its locks too: nobody else ever sees it.
    """
    group = scene.group
    with transaction.atomic():
        _catalogue(group, what)
        _profiles(group, what, at)
        for name in what.retired:
            Policy.objects.filter(group=group, name=name).update(status=Policy.Status.RETIRED)
        for document in what.policies:
            _policy(group, document, actor, at)
        active = Policy.objects.filter(group=group, name__in=what.paused, status=Policy.Status.ACTIVE)
        active.update(status=Policy.Status.PAUSED)
        for name in what.ended:
            reading.live_exemptions(group, name).update(status=Exemption.Status.REVOKED)
        for document in what.exemptions:
            _exempt(group, document, actor, at)
        if what.plan is not None:
            standing_in.stand_in(standing_in.steps_of(standing_in.drafted(group, what.plan)))
        settle(scene)
        yield
        transaction.set_rollback(True)


def settle(scene: Scene) -> None:
    """Bring the compiled rules in line with the tenants, the catalogue and each other, as detection does."""
    group = scene.group
    compilation.recompile(group, at=scene.at)
    in_force = Rule.objects.filter(group=group).in_force(scene.at).values_list("pk", flat=True)
    compilation.settle_targets(group.pk, list(in_force), scene.at, snapshot=scene.snapshot)
    inputs = replace(decisions.current_inputs(group, at=scene.at), snapshot=scene.snapshot)
    choosing = frozenset(rule.id for rule in inputs.rules if rule.chooses)
    if choosing:
        sameness.settle(inputs, evaluate_outcomes(replace(inputs, acting=choosing), {}))


def _catalogue(group: Group, what: Supposition) -> None:
    if what.releases:
        try:
            catalogue.take(group, reading.catalogue_documents(group, what))
        except CatalogueError as error:
            raise ConfigurationError([Problem(reading.FILE, 0, error.place, error.reason)]) from error
    for one in what.withdrawn:
        rows = Release.objects.filter(group=group, plugin__name=one["plugin"], version=one["version"])
        rows.update(withdrawn=True, compiled=False)


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
    """The exemption as configuration grants it, in the place of that of its name."""
    reading.live_exemptions(group, document["name"]).update(status=Exemption.Status.REVOKED)
    ends = moments.ending(document["until"], at=at)
    if ends <= at:
        return
    Exemption.objects.create(
        group=group,
        tenant=Tenant.objects.get(group=group, key=document["tenant"]),
        policy=Policy.objects.get(group=group, name=document["policy"]),
        rule_key=document.get("rule", ""),
        plugin=Plugin.objects.filter(group=group, name=document.get("plugin", "")).first(),
        reason=document["reason"],
        status=Exemption.Status.APPROVED,
        starts_at=at,
        expires_at=ends,
        requested_by_name=actor.name,
        requested_at=at,
        decided_at=at,
    )
