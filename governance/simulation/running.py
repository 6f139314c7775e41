"""A simulation run and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import documents, flags
from governance.configuration import differing, files
from governance.models import Advisory, Exemption, Policy, Release, Simulation, Snapshot
from governance.policy_documents import Document
from governance.simulation import weighing
from governance.simulation.supposing import Supposition, settle, supposed
from tenants.models import Group

# What came and went since the last seal; sealed, the snapshot's own digest says it.
_UNSEALED = """
SELECT coalesce(md5(string_agg(concat_ws('|', tenant_id, plugin_id, release_id, since, until), E'\\n'
                               ORDER BY tenant_id, plugin_id, since)), '')
FROM governance_installation
WHERE group_id = %(group)s AND (since = %(open)s OR until = %(open)s)
"""


def simulate(
    group: Group,
    *,
    policies: Sequence[Document] = (),
    profiles: Sequence[Document] = (),
    exemptions: Sequence[Document] = (),
    retired: Sequence[str] = (),
    at: datetime,
    actor: Actor,
    title: str = "",
) -> Simulation:
    """Keep what would come of it if these were in force at that time.

    Raises ConfigurationError, and FlagOff while governance is off.
    """
    what = Supposition(policies, profiles, exemptions, retired)
    return _simulate(group, what, at=at, actor=actor, title=title)


def simulate_files(
    group: Group, wanted: files.Files, *, prune: bool, at: datetime, actor: Actor, title: str = ""
) -> Simulation:
    """Keep what would come of applying the files to the group. Raises ConfigurationError."""
    checked = files.checked(wanted, files.groups_of(wanted, [group.slug]), at=at)
    difference = differing.compare(checked, group, prune=prune, at=at)
    gone = [item for item in difference.changed if item.action == differing.RETIRE]
    kept = [item for item in difference.changed if item.action != differing.RETIRE]
    kinds = set(Policy.Kind.values)
    sla = [item.document for item in difference.changed if item.noun == "service levels"]
    what = Supposition(
        policies=[item.document for item in kept if item.noun in kinds],
        profiles=[item.document for item in kept if item.noun == "profile"],
        exemptions=[item.document for item in kept if item.noun == "exemption" and not item.note],
        retired=[item.name for item in gone if item.noun in kinds],
        ended=[item.name for item in difference.changed if item.noun == "exemption"],
        sla=sla[0] if sla else None,
    )
    return _simulate(group, what, at=at, actor=actor, title=title)


@transaction.atomic
def _simulate(group: Group, what: Supposition, *, at: datetime, actor: Actor, title: str) -> Simulation:
    flags.require_governance(group)
    inputs = {**what.as_document(), "at": at.isoformat(), **_state(group)}
    before, after = _states(group, what, actor=actor, at=at)
    names = weighing.names_of(group, before, after)
    outcome = {
        "before": weighing.figures(group, before),
        "after": weighing.figures(group, after),
        "difference": weighing.difference(before, after, names),
        "conflicts": weighing.conflicts(before, after, names),
        "actions": weighing.actions(after, names),
    }
    return _keep(group, inputs, outcome, at=at, actor=actor, title=title)


def _states(
    group: Group, what: Supposition, *, actor: Actor, at: datetime
) -> tuple[weighing.State, weighing.State]:
    """Both by the same functions, and neither leaves a trace."""
    with transaction.atomic():
        settle(group, at)
        before = weighing.weigh(group, at=at)
        transaction.set_rollback(True)
    with supposed(group, what, actor=actor, at=at):
        after = weighing.weigh(group, at=at)
    return before, after


def _keep(
    group: Group, inputs: dict[str, Any], outcome: dict[str, Any], *, at: datetime, actor: Actor, title: str
) -> Simulation:
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # numbers come one after the other
    last = Simulation.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    kept = Simulation.objects.create(
        group=group,
        number=last + 1,
        title=title,
        snapshot_number=inputs["snapshot"]["number"],
        inputs=inputs,
        inputs_digest=documents.digest(inputs),
        outcome=outcome,
        created_by_name=actor.name,
        created_at=at,
    )
    data = {
        "number": kept.number,
        "policies": [document.get("name") for document in inputs["policies"]],
        "inputs_digest": kept.inputs_digest,
        "opened": outcome["difference"]["opened"],
        "closed": outcome["difference"]["closed"],
        "conflicts": len(outcome["conflicts"]),
    }
    ledger.record(Action.SIMULATION_RUN, subject=kept, actor=actor, at=at, data=data)
    return kept


def _state(group: Group) -> dict[str, Any]:
    """Everything else that the outcome depends on, so that equal inputs have equal outcomes."""
    last = Snapshot.objects.filter(group=group).order_by("-number").first()
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, {"group": group.pk, "open": group.open_snapshot})
        (unsealed,) = cursor.fetchone()
    in_force = Policy.objects.filter(group=group, status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED])
    exempt = Exemption.objects.filter(group=group, status=Exemption.Status.APPROVED).order_by("pk")
    releases = Release.objects.filter(group=group)
    return {
        "snapshot": {"number": last.number if last else 0, "digest": last.digest if last else ""},
        "unsealed": unsealed,
        "in_force": dict(in_force.order_by("name").values_list("name", "current__digest")),
        "exempt": [f"{pk} {end.isoformat()}" for pk, end in exempt.values_list("pk", "expires_at")],
        "catalogue": {
            "releases": releases.count(),
            "newest": releases.aggregate(newest=Max("pk"))["newest"],
            "withdrawn": releases.filter(withdrawn=True).count(),
            "advisories": Advisory.objects.filter(group=group).count(),
        },
    }
