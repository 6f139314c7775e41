"""Policies supposed to be in force: compiled beside the real ones, and taken back with the savepoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from config.access import Actor
from governance import catalogue, compilation, decisions, moments, policies, sameness
from governance.catalogue_formats import CatalogueError
from governance.documents import Problem
from governance.models import Configuration, Exemption, Plugin, Policy, Profile, Release, Rule
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.policy_documents import Document
from governance.simulation import reading, standing_in, touching
from governance.simulation.supposition import Supposition
from governance.simulation.weighing import Scene
from governance.stock import State, Stock, state_of_catalogue
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Settled:
    """What binds once all rules have chosen their targets, and what the catalogue comes to then.

    `outcomes` are of all tenants, by the rules that choose; None where these moved a target.
    """

    stock: Stock
    catalogue: State
    binding: touching.Binding
    outcomes: Mapping[int, TenantOutcome] | None


@contextmanager
def supposed(
    scene: Scene, what: Supposition, *, actor: Actor, at: datetime, since: Settled | None
) -> Iterator[Settled]:
    """Within it, the rules in force are as if this had been applied at that time. Raises NotSupposable.

    A savepoint takes all of it back, its locks too: nobody else ever sees it. `since` is as for `settle`.
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
        yield settle(scene, since, touching.planned(scene, what))
        transaction.set_rollback(True)


def settle(
    scene: Scene, since: Settled | None = None, moved: Collection[int] = (), stock: Stock | None = None
) -> Settled:
    """Bring the compiled rules in line with the tenants, the catalogue and each other, as detection does.

    Where time and catalogue are the same as `since`, and nothing else is installed but in the tenants
    `moved`, only tenants that something binds otherwise are decided about again. `stock` is of the catalogue
    as it is.
    """
    group = scene.group
    compilation.recompile(group, at=scene.at)
    in_force = Rule.objects.filter(group=group).in_force(scene.at).values_list("pk", flat=True)
    compilation.settle_targets(group.pk, list(in_force), scene.at, snapshot=scene.snapshot)
    catalogue_now = state_of_catalogue(group.pk, scene.at)
    if since is not None and since.catalogue != catalogue_now:  # a rule names a plugin that wasn't known
        since = None
    if since is not None:
        stock = since.stock
    elif stock is None:
        stock = Stock(group.pk, scene.at)
    inputs = decisions.current_inputs(group, at=scene.at, stock=stock)
    inputs, binding = replace(inputs, snapshot=scene.snapshot), touching.binding(scene)
    known, asked = _known(since, binding, moved)
    choosing = frozenset(rule.id for rule in inputs.rules if rule.chooses)
    outcomes = {**known, **evaluate_outcomes(replace(inputs, acting=choosing, tenant_ids=asked), {})}
    if choosing and sameness.settle(inputs, outcomes):
        return Settled(stock, catalogue_now, touching.binding(scene), None)
    return Settled(stock, catalogue_now, binding, outcomes)


def _known(
    since: Settled | None, binding: touching.Binding, moved: Collection[int]
) -> tuple[Mapping[int, TenantOutcome], frozenset[int] | None]:
    """The outcomes that are as they were, and the tenants that have to be asked about; None for all."""
    if since is None or since.outcomes is None:
        return {}, None
    asked = touching.touched(since.binding, binding).union(moved)
    return {tenant: known for tenant, known in since.outcomes.items() if tenant not in asked}, asked


def _catalogue(group: Group, what: Supposition) -> None:
    if what.releases:
        try:
            catalogue.take(group, reading.catalogue_documents(group, what))
        except CatalogueError as error:
            raise reading.NotSupposable([Problem(reading.FILE, 0, error.place, error.reason)]) from error
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
        raise reading.NotSupposable(problems)
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
