"""Exemptions, and what they do to drift."""

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM, Actor, ActorKind
from config.lifecycle import TransitionError
from governance import drift, exemptions
from governance.exemptions import ExemptionRefused, FourEyes
from governance.models import Exemption, Finding, Plugin, Policy
from tenants.models import Group, Tenant, User
from tests import factories
from tests.factories import AT, World

UNTIL = AT + timedelta(days=10)
Status = Exemption.Status


def actor(user: User) -> Actor:
    return Actor(ActorKind.PERSON, user.pk, user.username)


@pytest.fixture
def policy(world: World) -> Policy:
    """Both crm and mail are to be at 2.0.0 at least; tenant-a breaks it with both, and drift was found."""
    for name in ("crm", "mail"):
        factories.plugin(world.group, name, ["1.0.0", "2.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0", "mail": "1.0.0"})
    rules = [
        {"name": "both", "plugins": ["crm", "mail"], "at_least": "2.0.0", "severity": "high"},
        {"name": "crm", "plugins": ["crm"], "deny": "1.0.0", "severity": "high"},
    ]
    policy = factories.policy(world.group, "core", rules, profile={"sla": {"high": 3}})
    drift.detect(world.group, at=AT)
    return policy


def ask(world: World, policy: Policy, **about: Any) -> Exemption:
    wanted = {
        "reason": "The vendor is late.",
        "expires_at": UNTIL,
        "actor": actor(world.tenant_admin),
        "at": AT,
    }
    return exemptions.request(world.tenant_a, policy, **{**wanted, **about})


def states() -> dict[str, str]:
    """The open findings, as rule and plugin, with their status."""
    rows = Finding.objects.open().values_list("rule_key", "plugin__name", "status")
    return {f"{key} {plugin}": status for key, plugin, status in rows}


def test_the_same_asked_for_twice_by_a_person_is_asked_for_once(world: World, policy: Policy) -> None:
    first, again = ask(world, policy), ask(world, policy)
    assert first.pk == again.pk
    assert Entry.objects.filter(action="exemption.requested").count() == 1
    assert ask(world, policy, reason="Another one.").pk != first.pk
    exemptions.reject(first, actor=actor(world.owner), at=AT)
    assert ask(world, policy).pk != first.pk


ALL_NEW = {"both crm": "new", "both mail": "new", "crm crm": "new"}


def test_a_request_changes_nothing_until_it_is_granted(world: World, policy: Policy) -> None:
    exemption = ask(world, policy)
    drift.detect(world.group, at=AT)
    assert exemption.status == Status.REQUESTED
    assert states() == ALL_NEW
    assert Entry.objects.filter(action="exemption.requested", tenant_id=world.tenant_a.pk).exists()


@pytest.mark.parametrize(
    ("about", "covered"),
    [
        ({}, {"both crm", "both mail", "crm crm"}),
        ({"rule_key": "both"}, {"both crm", "both mail"}),
        ({"plugin": "crm"}, {"both crm", "crm crm"}),
        ({"rule_key": "both", "plugin": "mail"}, {"both mail"}),
    ],
)
def test_what_an_exemption_covers_is_accepted(
    world: World, policy: Policy, about: dict[str, Any], covered: set[str]
) -> None:
    if "plugin" in about:
        about = {**about, "plugin": Plugin.objects.get(group=world.group, name=about["plugin"])}
    exemption = ask(world, policy, **about)
    exemptions.approve(exemption, actor=actor(world.owner), at=AT)
    assert {finding for finding, status in states().items() if status == "accepted"} == covered
    accepted = Finding.objects.filter(status="accepted")
    assert set(accepted.values_list("exemption", "due_at")) == {(exemption.pk, None)}
    assert Entry.objects.filter(action="exemption.approved").exists()


def test_what_to_do_about_the_tenant_is_decided_anew(world: World, policy: Policy) -> None:
    exemptions.reject(ask(world, policy), actor=actor(world.owner), at=AT)
    assert not OrmQ.objects.exists()
    exemptions.approve(ask(world, policy), actor=actor(world.owner), at=AT)
    (job,) = OrmQ.objects.all()
    assert "evaluate_tenants" in str(job.task)


def test_another_tenants_drift_is_not_covered(world: World, policy: Policy) -> None:
    factories.install(world.tenant_b, {"crm": "1.0.0"})
    exemptions.approve(ask(world, policy), actor=actor(world.owner), at=AT)
    drift.detect(world.group, at=AT)
    rows = Finding.objects.filter(tenant=world.tenant_b)
    assert set(rows.values_list("status", flat=True)) == {"new"}


def test_who_asks_cannot_grant(world: World, policy: Policy) -> None:
    exemption = ask(world, policy, actor=actor(world.owner))
    with pytest.raises(FourEyes):
        exemptions.approve(exemption, actor=actor(world.owner), at=AT)
    assert Exemption.objects.get().status == Status.REQUESTED


def test_who_asked_hears_of_a_decision_by_a_service_of_the_same_number(world: World, policy: Policy) -> None:
    asked = ask(world, policy)
    assert asked.requested_by_id is not None
    service = Actor(ActorKind.SERVICE, asked.requested_by_id, "billing")
    exemptions.approve(asked, actor=service, at=AT)
    [message] = OutboxMessage.objects.filter(idempotency_key__contains=f"exemption-{asked.pk}-approved")
    assert message.destination == "notify"


def test_a_decision_is_made_once(world: World, policy: Policy) -> None:
    exemption = ask(world, policy)
    exemptions.reject(exemption, actor=actor(world.owner), at=AT, comment="No.")
    with pytest.raises(TransitionError):
        exemptions.approve(Exemption.objects.get(), actor=actor(world.owner), at=AT)
    assert states() == ALL_NEW
    assert Entry.objects.get(action="exemption.rejected").data["comment"] == "No."


def test_a_revoked_exemption_leaves_drift_with_a_new_due_date(world: World, policy: Policy) -> None:
    exemption = ask(world, policy)
    exemptions.approve(exemption, actor=actor(world.owner), at=AT)
    later = AT + timedelta(days=1)
    exemptions.revoke(exemption, actor=actor(world.owner), at=later)
    assert states() == ALL_NEW
    assert set(Finding.objects.values_list("due_at", flat=True)) == {later + timedelta(days=3)}


def test_an_exemption_that_is_over_leaves_drift_with_a_new_due_date_and_its_record(
    world: World, policy: Policy
) -> None:
    identities = set(Finding.objects.values_list("pk", flat=True))
    exemptions.approve(ask(world, policy), actor=actor(world.owner), at=AT)
    assert exemptions.expire_due(world.group, at=UNTIL - timedelta(seconds=1)) == 0
    assert exemptions.expire_due(world.group, at=UNTIL) == 1
    assert exemptions.expire_due(world.group, at=UNTIL) == 0
    assert states() == ALL_NEW
    assert set(Finding.objects.values_list("pk", "due_at")) == {
        (pk, UNTIL + timedelta(days=3)) for pk in identities
    }
    assert Exemption.objects.get().status == Status.EXPIRED
    assert Entry.objects.filter(action="exemption.expired").count() == 1


def test_while_another_exemption_covers_it_drift_stays_accepted(world: World, policy: Policy) -> None:
    factories.exemption(world.tenant_a, policy, until=AT + timedelta(days=1), rule_key="crm")
    longer = factories.exemption(world.tenant_a, policy, until=UNTIL, rule_key="crm")
    drift.detect(world.group, at=AT)
    assert Finding.objects.get(rule_key="crm").exemption == longer
    exemptions.expire_due(world.group, at=AT + timedelta(days=1))
    assert Finding.objects.get(rule_key="crm").status == "accepted"


def test_an_exemption_begins_at_its_time(world: World, policy: Policy) -> None:
    starts = AT + timedelta(days=2)
    exemptions.approve(ask(world, policy, starts_at=starts), actor=actor(world.owner), at=AT)
    assert states() == ALL_NEW
    drift.detect(world.group, at=starts, tenant_ids=[world.tenant_b.pk])
    assert set(states().values()) == {"accepted"}


def test_what_comes_under_an_exemption_is_accepted_at_once(world: World, policy: Policy) -> None:
    exemptions.approve(ask(world, policy), actor=actor(world.owner), at=AT)
    factories.install(world.tenant_a, {})
    drift.detect(world.group, at=AT)
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    drift.detect(world.group, at=AT)
    assert states() == {"both crm": "accepted", "crm crm": "accepted"}


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"rule_key": "unheard-of"}, "rule_key"),
        ({"expires_at": AT}, "expires_at"),
        ({"starts_at": UNTIL}, "expires_at"),
    ],
)
def test_a_request_that_cannot_be_granted_is_refused(
    world: World, policy: Policy, about: dict[str, Any], field: str
) -> None:
    with pytest.raises(ExemptionRefused) as refused:
        ask(world, policy, **about)
    assert refused.value.field == field
    assert not Exemption.objects.exists()


def test_what_belongs_to_another_group_is_refused(world: World, policy: Policy) -> None:
    elsewhere = Group.objects.get(slug="elsewhere")
    stranger = Tenant.objects.get(group=elsewhere)
    with pytest.raises(ExemptionRefused, match="no such policy"):
        exemptions.request(stranger, policy, reason="x", expires_at=UNTIL, actor=SYSTEM, at=AT)
    foreign = factories.plugin(elsewhere, "crm")
    with pytest.raises(ExemptionRefused, match="no such plugin"):
        ask(world, policy, plugin=foreign)


def test_a_request_whose_time_is_over_cannot_be_granted(world: World, policy: Policy) -> None:
    exemption = ask(world, policy)
    with pytest.raises(ExemptionRefused, match="over already"):
        exemptions.approve(exemption, actor=actor(world.owner), at=UNTIL)
