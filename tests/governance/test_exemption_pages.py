"""Exemptions in the console: seen within reach, asked for, and decided by someone else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from governance import drift
from governance.models import Exemption, Finding, Policy
from tenants.models import Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.drifting import drift_apart
from tests.ground import Kind

LIST = "/g/acme/exemptions/"
ASK = f"{LIST}request/"
Status = Exemption.Status


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


SCENE = Kind(drift_apart)


@pytest.fixture
def drifting(standing_scene: World) -> World:
    return standing_scene


def exempt(world: World, *, tenant: Any = None, days: int = 9, **fields: Any) -> Exemption:
    policy = Policy.objects.get(group=world.group, name="core")
    return factories.exemption(tenant or world.tenant_a, policy, until=AT + timedelta(days=days), **fields)


def asked_by(world: World, user: User, **fields: Any) -> Exemption:
    return exempt(
        world,
        status=Status.REQUESTED,
        requested_by_id=user.pk,
        requested_by_name=str(user),
        decided_at=None,
        **fields,
    )


def form(**changes: str) -> dict[str, str]:
    return {
        "tenant": "tenant-a",
        "covers": "core/crm",
        "plugin": "crm",
        "reason": "Its vendor is late",
        "until": "2026-03-20",
        **changes,
    }


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_what_is_asked_for_and_what_is_granted(drifting: World, client: Client) -> None:
    exempt(drifting, reason="granted one")
    asked_by(drifting, drifting.owner, reason="asked one")
    exempt(drifting, reason="over long ago", status=Status.EXPIRED)
    client.force_login(drifting.viewer)
    page = text(client, LIST)
    assert "granted one" in page
    assert "asked one" in page
    assert "over long ago" not in page
    assert "9 days left" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=all", {"soon", "late", "asked", "over"}),
        ("status=expired", {"over"}),
        ("expiring=14", {"soon"}),
        ("expiring=30", {"soon"}),
        ("tenant=tenant-b", {"late"}),
        ("policy=core&q=asked", {"asked"}),
        ("policy=nonsense&sort=-requested", {"soon", "late", "asked"}),
    ],
)
def test_the_list_is_narrowed(drifting: World, client: Client, query: str, shown: set[str]) -> None:
    exempt(drifting, reason="soon")
    exempt(drifting, reason="late", tenant=drifting.tenant_b, days=90)
    asked_by(drifting, drifting.owner, reason="asked")
    exempt(drifting, reason="over", status=Status.EXPIRED)
    client.force_login(drifting.viewer)
    page = text(client, f"{LIST}?{query}")
    assert {reason for reason in ("soon", "late", "asked", "over") if f">{reason}</td>" in page} == shown


def test_htmx_gets_the_table_alone_and_a_long_list_costs_no_more(
    drifting: World, client: Client, django_assert_max_num_queries: Any
) -> None:
    exempt(drifting)
    client.force_login(drifting.owner)
    part = {"HX-Request": "true", "HX-Target": "exemptions"}
    with django_assert_max_num_queries(50) as few:
        assert client.get(LIST, headers=part).content.startswith(b'<div id="exemptions"')
    for days in range(1, 12):
        exempt(drifting, days=days, tenant=drifting.tenant_b)
    with django_assert_max_num_queries(len(few)):
        client.get(LIST, headers=part)


def test_a_tenant_admin_sees_those_of_the_own_tenant_only(drifting: World, client: Client) -> None:
    own, other = exempt(drifting), exempt(drifting, tenant=drifting.tenant_b)
    client.force_login(drifting.tenant_admin)
    page = text(client, LIST)
    assert str(own.pk) in page
    assert "tenant-b" not in page
    assert client.get(f"{LIST}{own.pk}/").status_code == 200
    assert client.get(f"{LIST}{other.pk}/").status_code == 404


def test_a_tenant_admin_is_offered_only_what_binds_the_own_tenant(drifting: World, client: Client) -> None:
    rule = {"name": "secret-rule", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(drifting.group, "elsewhere-only", [rule], tenants={"keys": ["tenant-b"]})
    client.force_login(drifting.tenant_admin)
    page = text(client, ASK)
    assert "core/crm" in page
    assert "elsewhere-only" not in page
    assert "tenant-b" not in page
    answer = client.post(ASK, form(tenant="tenant-b"))
    assert answer.status_code == 422
    assert b"You reach no tenant of that key" in answer.content
    assert not Exemption.objects.exists()


def test_a_finding_leads_to_a_form_that_is_filled_in(drifting: World, client: Client) -> None:
    finding = Finding.objects.get(tenant=drifting.tenant_a)
    client.force_login(drifting.tenant_admin)
    link = f"{ASK}?finding={finding.pk}"
    for page in ("/g/acme/drift/", f"/g/acme/tenants/{drifting.tenant_a.pk}/drift/", "/g/acme/mine/"):
        assert link in text(client, page)
    page = text(client, link)
    assert 'value="tenant-a"' in page
    assert '<option value="core/crm" selected>' in page
    assert 'name="plugin" value="crm"' in page


@pytest.mark.parametrize("finding", ["theirs", "99999999999999999999", "x", "²"])
def test_a_finding_out_of_reach_fills_in_nothing(drifting: World, client: Client, finding: str) -> None:
    if finding == "theirs":
        finding = str(Finding.objects.get(tenant=drifting.tenant_b).pk)
    client.force_login(drifting.tenant_admin)
    page = text(client, f"{ASK}?finding={finding}")
    assert "tenant-b" not in page
    assert '<option value="core/crm" selected>' not in page


def test_asking_records_what_was_asked_for(drifting: World, client: Client) -> None:
    client.force_login(drifting.tenant_admin)
    answer = client.post(ASK, form())
    asked = Exemption.objects.get()
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{LIST}{asked.pk}/"
    assert (asked.status, asked.policy.name, asked.rule_key) == (Status.REQUESTED, "core", "crm")
    assert asked.plugin is not None
    assert asked.plugin.name == "crm"
    assert asked.expires_at == datetime(2026, 3, 21, tzinfo=UTC)
    assert asked.requested_by_id == drifting.tenant_admin.pk


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"until": "2026-02-01"}, "It must expire after it starts"),
        ({"until": "soon"}, "Enter a valid date"),
        ({"reason": " "}, "This field is required"),
        ({"plugin": "nonsense"}, "There is no plugin of that name"),
        ({"covers": "nonsense"}, "Select a valid choice"),
        ({"tenant": "nobody"}, "You reach no tenant of that key"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    drifting: World, client: Client, changes: dict[str, str], told: str
) -> None:
    client.force_login(drifting.owner)
    answer = client.post(ASK, form(**changes))
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Exemption.objects.exists()


def test_a_whole_policy_can_be_asked_for(drifting: World, client: Client) -> None:
    client.force_login(drifting.owner)
    client.post(ASK, form(covers="core", plugin=""))
    asked = Exemption.objects.get()
    assert (asked.rule_key, asked.plugin) == ("", None)


def test_someone_else_approves_and_the_finding_is_accepted(drifting: World, client: Client) -> None:
    asked = asked_by(drifting, drifting.tenant_admin)
    client.force_login(drifting.owner)
    assert "Approve</button>" in text(client, f"{LIST}{asked.pk}/")
    answer = client.post(f"{LIST}{asked.pk}/approve/", {"comment": "until the vendor delivers"}, follow=True)
    page = answer.content.decode()
    assert "Approved. It covers its findings now." in page
    assert "until the vendor delivers" in page
    assert Finding.objects.get(tenant=drifting.tenant_a).status == Finding.Status.ACCEPTED


def test_who_asked_can_not_approve(drifting: World, client: Client) -> None:
    asked = asked_by(drifting, drifting.owner)
    client.force_login(drifting.owner)
    page = text(client, f"{LIST}{asked.pk}/")
    assert "someone else has to grant it" in page
    assert "Approve</button>" not in page
    answer = client.post(f"{LIST}{asked.pk}/approve/", follow=True)
    assert "Someone else than the person who asked" in answer.content.decode()
    asked.refresh_from_db()
    assert asked.status == Status.REQUESTED


def test_a_request_is_rejected_and_an_approval_revoked(drifting: World, client: Client) -> None:
    asked, granted = asked_by(drifting, drifting.tenant_admin), exempt(drifting, tenant=drifting.tenant_b)
    drift.detect(drifting.group, at=AT)
    client.force_login(drifting.owner)
    client.post(f"{LIST}{asked.pk}/reject/", {"comment": "no"})
    client.post(f"{LIST}{granted.pk}/revoke/")
    asked.refresh_from_db()
    granted.refresh_from_db()
    assert (asked.status, asked.decision_comment, granted.status) == (Status.REJECTED, "no", Status.REVOKED)
    assert Finding.objects.get(tenant=drifting.tenant_b).status == Finding.Status.NEW


def test_a_request_may_be_taken_back_by_who_made_it(drifting: World, client: Client) -> None:
    own, other = asked_by(drifting, drifting.tenant_admin), asked_by(drifting, drifting.owner)
    client.force_login(drifting.tenant_admin)
    page = text(client, f"{LIST}{own.pk}/")
    assert "Take the request back" in page
    assert "It is only asked for." in page
    assert client.post(f"{LIST}{other.pk}/revoke/").status_code == 404
    assert client.post(f"{LIST}{own.pk}/revoke/").status_code == 303
    own.refresh_from_db()
    assert own.status == Status.REVOKED
    granted = exempt(drifting, requested_by_id=drifting.tenant_admin.pk)
    assert client.post(f"{LIST}{granted.pk}/revoke/").status_code == 404


def test_a_decision_that_comes_too_late_is_refused(drifting: World, client: Client) -> None:
    over = exempt(drifting, status=Status.EXPIRED)
    client.force_login(drifting.owner)
    assert client.post(f"{LIST}{over.pk}/revoke/").status_code == 409
    asked = asked_by(drifting, drifting.tenant_admin)
    with time_machine.travel(AT + timedelta(days=40), tick=False):
        client.force_login(drifting.owner)
        answer = client.post(f"{LIST}{asked.pk}/approve/", follow=True)
    assert "Its time is over already" in answer.content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject", "revoke"])
def test_nobody_decides_without_being_allowed_to(drifting: World, client: Client, verb: str) -> None:
    asked = asked_by(drifting, drifting.owner)
    operator = factories.member(drifting.group, "operator", Role.OPERATOR)
    for user in (drifting.viewer, operator, drifting.tenant_admin, drifting.outsider):
        client.force_login(user)
        assert client.post(f"{LIST}{asked.pk}/{verb}/").status_code == 404
    client.force_login(drifting.owner)
    assert client.get(f"{LIST}{asked.pk}/{verb}/").status_code == 405
    asked.refresh_from_db()
    assert asked.status == Status.REQUESTED


def test_the_page_says_what_the_exemption_covers_and_what_became_of_it(
    drifting: World, client: Client
) -> None:
    asked = asked_by(drifting, drifting.tenant_admin)
    client.force_login(drifting.owner)
    client.post(f"{LIST}{asked.pk}/approve/")
    page = text(client, f"{LIST}{asked.pk}/")
    assert "Exemption approved" in page
    assert "1 finding" in page
    part = client.get(f"{LIST}{asked.pk}/", headers={"HX-Request": "true", "HX-Target": "covered"})
    assert part.content.startswith(b'<div id="covered"')


def test_those_who_only_look_are_not_offered_to_ask(drifting: World, client: Client) -> None:
    client.force_login(drifting.viewer)
    assert ASK not in text(client, LIST)
    assert client.get(ASK).status_code == 404
