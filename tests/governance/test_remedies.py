"""A way out turned into what ends its conflict, by the doors that each change has anyway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from config import queue
from config.access import SYSTEM, Actor, ActorKind
from governance import conflicts, decisions, drift, exemptions, policies, remedies, ways_out
from governance.exemptions import ExemptionRefused, FourEyes
from governance.models import Conflict, Exemption, Finding, Policy, PolicyVersion
from governance.remedies import RemedyRefused
from governance.ways_out import Kind, Way
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed

LATER = AT + timedelta(minutes=5)
UNTIL = AT + timedelta(days=20)
ASKER = Actor(ActorKind.PERSON, 7, "asker")
APPROVER = Actor(ActorKind.PERSON, 8, "approver")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def way(conflict: Conflict, *rules: str) -> Way:
    """The way out that sets exactly these rules aside."""
    found = {frozenset("/".join(rule) for rule in way.set_aside): way for way in ways_out.ways(conflict)}
    return found[frozenset(rules)]


def ask(conflict: Conflict, chosen: Way) -> list[Exemption]:
    return remedies.ask_for_exemptions(
        conflict, chosen, reason="Agreed.", expires_at=UNTIL, actor=ASKER, at=AT
    )


def approve(asked: Sequence[Exemption]) -> None:
    for exemption in asked:
        exemptions.approve(exemption, actor=APPROVER, at=AT)
    queue.run_pending()


def apply(drafts: Sequence[PolicyVersion]) -> None:
    for draft in drafts:
        assert not policies.is_in_force(draft)
        policies.apply_version(draft, actor=SYSTEM, at=LATER)


def drafted(kind: Kind, conflict: Conflict, chosen: Way, *, at: datetime = AT) -> list[PolicyVersion]:
    return remedies.draft(conflict, chosen, kind, comment="Agreed.", actor=ASKER, at=at)


def test_exemptions_end_the_conflict_once_somebody_else_grants_them(world: World) -> None:
    conflict = disputed.dispute(world)
    (asked,) = ask(conflict, way(conflict, "core/crm"))
    assert (asked.tenant, asked.policy.name, asked.rule_key) == (world.tenant_b, "core", "crm")
    assert (asked.plugin, asked.status, asked.expires_at) == (conflict.plugin, "requested", UNTIL)
    with pytest.raises(FourEyes):
        exemptions.approve(asked, actor=ASKER, at=AT)
    approve([asked])
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.CLOSED
    assert Finding.objects.get(tenant=world.tenant_b, policy__name="core").status == "accepted"
    assert Entry.objects.filter(action="exemption.requested", actor_name="asker").count() == 1


def test_exemptions_are_asked_for_in_every_tenant_touched_or_in_none(world: World) -> None:
    third = factories.tenant(world.group, "tenant-c")
    conflict = disputed.dispute(world, held="*")
    factories.install(third, {"crm": "2.3.0"})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    chosen = way(conflict, "core/crm")
    with pytest.raises(ExemptionRefused):
        remedies.ask_for_exemptions(conflict, chosen, reason="x", expires_at=AT, actor=ASKER, at=AT)
    assert not Exemption.objects.exists()
    asked = ask(conflict, chosen)
    assert [exemption.tenant.key for exemption in asked] == ["tenant-b", "tenant-c"]
    with pytest.raises(RemedyRefused, match="asked for or granted already"):
        ask(conflict, chosen)


def test_so_many_exemptions_that_nobody_would_read_them_are_not_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflict = disputed.dispute(world)
    monkeypatch.setattr(remedies, "MOST_EXEMPTIONS", 0)
    with pytest.raises(RemedyRefused, match="change the policy"):
        ask(conflict, way(conflict, "core/crm"))


def test_too_many_are_refused_at_the_same_cost_however_many_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    monkeypatch.setattr(remedies, "MOST_EXEMPTIONS", 0)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries, pytest.raises(RemedyRefused):
            ask(conflict, chosen)
        return len(queries)

    few = cost()
    for number in range(8):
        tenant = factories.tenant(world.group, f"site-{number}")
        conflict.touched.create(group=world.group, tenant=tenant)
    assert cost() == few


@pytest.mark.parametrize(
    ("kind", "rule"), [(None, "core/crm"), (Kind.DRAFT, "core/crm"), (Kind.HOLD, "freeze/hold")]
)
def test_who_asks_at_the_same_time_waits_before_looking_at_what_is_there(
    world: World, kind: Kind | None, rule: str
) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, rule)
    with CaptureQueriesContext(connection) as queries:
        if kind is None:
            ask(conflict, chosen)
        else:
            drafted(kind, conflict, chosen)
    reads = [query["sql"] for query in queries if "SELECT" in query["sql"]]
    assert "pg_advisory_xact_lock" in reads[0]


def test_a_hold_lets_go_of_the_tenants_touched_and_keeps_the_others(world: World) -> None:
    conflict = disputed.dispute(world, held={"except": {"labels": {"ring": "pilot"}}})
    drafts = drafted(Kind.HOLD, conflict, way(conflict, "freeze/hold"))
    (draft,) = drafts
    assert draft.document["tenants"] == {"except": [{"labels": {"ring": "pilot"}}, {"keys": ["tenant-b"]}]}
    assert draft.document["until"] == (AT + timedelta(days=30)).isoformat()
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.OPEN
    apply(drafts)
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.CLOSED
    assert str(Finding.objects.open().get(tenant=world.tenant_b).target) == "2.4.0"
    selected = draft.rules.get().selection.members.values_list("tenant__key", flat=True)
    assert set(selected) == {"tenant-a"}


def test_a_hold_that_selects_nobody_else_ends(world: World) -> None:
    conflict = disputed.dispute(world)
    drafts = drafted(Kind.HOLD, conflict, way(conflict, "freeze/hold"))
    assert drafts[0].document == {
        **disputed.FREEZE,
        "tenants": {"keys": ["tenant-b"]},
        "until": AT.isoformat(),
    }
    apply(drafts)
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.CLOSED
    assert str(Finding.objects.open().get(tenant=world.tenant_b).target) == "2.4.0"


def test_a_variant_wants_of_the_tenant_what_it_would_have_without_the_rule(world: World) -> None:
    conflict = disputed.dispute(world)
    drafts = drafted(Kind.DRAFT, conflict, way(conflict, "core/crm"))
    (variant,) = drafts[0].document["rules"][0]["variants"]
    assert variant == {"name": "tenant-b", "tenants": {"keys": ["tenant-b"]}, "exactly": "2.3.0"}
    assert Policy.objects.get(name="core").current != drafts[0]
    apply(drafts)
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.CLOSED
    assert not Finding.objects.open().exists()


def test_tenants_that_differ_get_a_variant_each(world: World) -> None:
    disputed.behind(world)
    third = factories.tenant(world.group, "tenant-c")
    factories.install(third, {"crm": "2.2.0"})
    disputed.policy(world, "floor", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-b", "tenant-c"]})
    conflict = Conflict.objects.waiting().get()
    drafts = drafted(Kind.DRAFT, conflict, way(conflict, "floor/crm"))
    variants = drafts[0].document["rules"][0]["variants"]
    assert {variant["exactly"]: variant["tenants"]["keys"] for variant in variants} == {
        "2.2.0": ["tenant-c"],
        "2.3.0": ["tenant-b"],
    }
    apply(drafts)
    assert not Conflict.objects.standing().exists()


def test_a_baselines_versions_are_varied_too(world: World) -> None:
    disputed.behind(world)
    baseline = {"name": "wanted", "kind": "baseline", "profile": "align", "tenants": "*"}
    document = {**baseline, "versions": {"crm": {"at_least": "2.4.0"}}}
    policies.apply(world.group, document, actor=SYSTEM, at=AT)
    disputed.hold(world, {"keys": ["tenant-b"]})
    conflict = Conflict.objects.waiting().get()
    finding = Finding.objects.open().get()
    drafts = drafted(Kind.DRAFT, conflict, way(conflict, "wanted/crm"))
    assert drafts[0].document["rules"][0]["at_least"] == "2.4.0"
    apply(drafts)
    assert not Conflict.objects.standing().exists()
    finding.refresh_from_db()
    assert finding.status == Finding.Status.RESOLVED


def test_a_way_of_several_kinds_is_gone_by_several_changes(world: World) -> None:
    disputed.behind(world)
    disputed.policy(world, "floor", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-b"]})
    disputed.hold(world, {"keys": ["tenant-b"]})
    conflict = Conflict.objects.waiting().get()
    chosen = way(conflict, "cap/crm", "freeze/hold")
    assert chosen.remedies["exemptions"].leaves == (
        "freeze/hold is a hold, which is changed or ended instead",
    )
    assert chosen.remedies["hold"].leaves == ("cap/crm is no hold",)
    approve(ask(conflict, chosen))
    assert Conflict.objects.waiting().exists()
    again = Conflict.objects.waiting().get()
    apply(drafted(Kind.HOLD, again, way(again, "freeze/hold")))
    assert not Conflict.objects.standing().exists()


def test_what_a_way_cannot_be_turned_into_is_not_offered(world: World) -> None:
    conflict = disputed.dispute(world)
    assert set(way(conflict, "core/crm").remedies) == {"exemptions", "draft"}
    assert set(way(conflict, "freeze/hold").remedies) == {"hold"}
    with pytest.raises(RemedyRefused, match="can't be turned"):
        ask(conflict, way(conflict, "freeze/hold"))
    Policy.objects.filter(name="core").update(status=Policy.Status.RETIRED)
    assert not way(conflict, "core/crm").remedies


def test_a_conflict_that_does_not_wait_any_more_is_left_alone(world: World) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    set_aside = [{"policy": "core", "key": "crm"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="x", actor=SYSTEM, at=AT)
    with pytest.raises(RemedyRefused, match="decided by now"):
        ask(conflict, chosen)
    assert not Exemption.objects.exists()


def test_a_variant_is_drafted_for_what_is_there_and_not_for_what_was(world: World) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    factories.install(world.tenant_b, {"crm": "2.4.0"})
    drift.detect(world.group, at=AT)
    with pytest.raises(RemedyRefused, match="isn't there any more in tenant-b"):
        drafted(Kind.DRAFT, conflict, chosen)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    assert not Conflict.objects.standing().exists()


def test_what_was_asked_for_and_drafted_is_found_again(world: World) -> None:
    conflict = disputed.dispute(world)
    chosen = way(conflict, "core/crm")
    assert not ways_out.asked_for(conflict, chosen.asides).exists()
    assert not ways_out.drafted(conflict).exists()
    (asked,) = ask(conflict, chosen)
    (draft,) = drafted(Kind.DRAFT, conflict, chosen)
    assert list(ways_out.asked_for(conflict, chosen.asides)) == [asked]
    assert list(ways_out.drafted(conflict)) == [draft.policy]


def steps(conflict: Conflict, rule: str, kind: Kind) -> list[str]:
    chosen = way(conflict, rule)
    return remedies.steps(conflict, chosen, chosen.remedies[kind], at=AT)


def test_the_steps_say_whom_a_change_is_about_and_what_else_a_hold_lets_go(world: World) -> None:
    factories.plugin(world.group, "erp", ["1.0.0"])
    conflict = disputed.dispute(world)
    assert steps(conflict, "core/crm", Kind.EXEMPTIONS) == ["Exempt from core/crm for crm: tenant-b"]
    assert steps(conflict, "core/crm", Kind.DRAFT) == ["core/crm wants crm 2.3.0 in tenant-b"]
    disputed.hold(world, "*", plugins=["crm", "erp"])
    conflict = Conflict.objects.waiting().get()
    (step,) = steps(conflict, "freeze/hold", Kind.HOLD)
    assert step == "freeze no longer selects tenant-b; it keeps erp there too, and lets go of all"
