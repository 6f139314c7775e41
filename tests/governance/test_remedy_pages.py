"""Turning a way out into something else than a decision, in the console."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from config import queue
from config.access import SYSTEM
from governance import policies, ways_out
from governance.models import Conflict, Exemption, Policy, PolicyVersion, Simulation
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance import disputed
from tests.ground import Kind

KINDS = ("exemptions", "hold", "draft")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


SCENE = Kind(disputed.dispute)


@pytest.fixture
def conflict(standing_scene: Conflict) -> Conflict:
    return standing_scene


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def page(conflict: Conflict) -> str:
    return f"/g/acme/decisions/{conflict.pk}/"


def address(conflict: Conflict, kind: str, policy: str) -> str:
    """Of the way out that sets the policy's rule aside."""
    number = next(way.number for way in ways_out.ways(conflict) if way.set_aside[0][0] == policy)
    return f"{page(conflict)}ways/{number}/{kind}/"


def says(conflict: Conflict, policy: str) -> str:
    return next(way.says for way in ways_out.ways(conflict) if way.set_aside[0][0] == policy)


def form(conflict: Conflict, policy: str, **more: Any) -> dict[str, Any]:
    return {"reason": "Agreed.", "says": says(conflict, policy), **more}


def test_the_conflict_offers_for_each_way_what_it_can_be_turned_into(
    conflict: Conflict, owner: Client
) -> None:
    shown = owner.get(page(conflict)).content.decode()
    offered = {(kind, policy) for kind in KINDS for policy in ("core", "freeze")}
    there = {one for one in offered if f'href="{address(conflict, *one)}"' in shown}
    assert there == {("exemptions", "core"), ("draft", "core"), ("hold", "freeze")}


def test_exemptions_are_asked_for_and_then_listed_at_the_conflict(conflict: Conflict, owner: Client) -> None:
    path = address(conflict, "exemptions", "core")
    shown = owner.get(path).content.decode()
    assert "Exempt from core/crm for crm: tenant-b" in shown
    assert "Ends a conflict: freeze keeps crm at 2.3.0" in shown
    answer = owner.post(path, form(conflict, "core", until="2026-03-20"), follow=True)
    assert answer.redirect_chain == [(page(conflict), 303)]
    asked = Exemption.objects.get()
    assert (asked.status, asked.requested_by_name, asked.reason) == ("requested", "owner", "Agreed.")
    assert asked.expires_at == AT.replace(day=21, hour=0)
    told = answer.content.decode()
    assert "Asked for 1 exemption. Someone else decides about it now." in told
    assert f"/g/acme/exemptions/{asked.pk}/" in told
    again = owner.post(path, form(conflict, "core", until="2026-03-20"))
    assert again.status_code == 422
    assert "asked for or granted already" in again.content.decode()


def test_a_changed_hold_is_kept_as_a_draft_and_the_editor_begins_with_it(
    conflict: Conflict, owner: Client
) -> None:
    path = address(conflict, "hold", "freeze")
    assert "freeze ends now, since it selects no other tenant" in owner.get(path).content.decode()
    answer = owner.post(path, form(conflict, "freeze"), follow=True)
    draft = PolicyVersion.objects.get(policy__name="freeze", number=2)
    assert answer.redirect_chain == [(f"/g/acme/policies/{draft.policy_id}/edit/", 303)]
    assert AT.isoformat() in answer.content.decode()
    assert (draft.author_name, draft.comment) == ("owner", "Agreed.")
    assert draft.policy.current != draft
    assert f"/g/acme/policies/{draft.policy_id}/versions/" in owner.get(page(conflict)).content.decode()


def test_a_variant_is_previewed_and_put_in_force_in_the_editor(conflict: Conflict, owner: Client) -> None:
    path = address(conflict, "draft", "core")
    assert "core/crm wants crm 2.3.0 in tenant-b" in owner.get(path).content.decode()
    editor = owner.post(path, form(conflict, "core"), follow=True)
    edit, _ = editor.redirect_chain[0]
    text = editor.context["form"]["text"].value()
    assert "exactly: 2.3.0" in text
    owner.post(edit, {"text": text, "intent": "preview"})
    queue.run_pending()
    preview = Simulation.objects.get()
    assert not preview.outcome["conflicts"]
    owner.post(edit, {"text": text, "intent": "apply", "previewed": preview.pk})
    conflict.refresh_from_db()
    assert conflict.status == Conflict.Status.CLOSED


def test_a_change_that_is_not_enough_says_what_else_it_takes(world: World, owner: Client) -> None:
    disputed.behind(world)
    disputed.policy(world, "floor", {"at_least": "2.4.0"})
    disputed.policy(world, "cap", {"at_most": "2.3.0"}, tenants={"keys": ["tenant-b"]})
    disputed.hold(world, {"keys": ["tenant-b"]})
    conflict = Conflict.objects.waiting().get()
    shown = owner.get(address(conflict, "exemptions", "cap")).content.decode()
    assert "It isn’t enough by itself." in shown
    assert "freeze/hold is a hold, which is changed or ended instead" in shown


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"says": "another"}, "The ways out have changed meanwhile"),
        ({"reason": " "}, "This field is required."),
        ({"until": "2026-03-01"}, "It must expire after it starts"),
        ({"until": ""}, "This field is required."),
    ],
)
def test_half_a_request_is_told_what_it_lacks(
    conflict: Conflict, owner: Client, change: dict[str, str], told: str
) -> None:
    data = form(conflict, "core", until="2026-03-20") | change
    answer = owner.post(address(conflict, "exemptions", "core"), data)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Exemption.objects.exists()


def test_a_text_that_its_policy_may_not_have_is_refused_on_the_form(world: World, owner: Client) -> None:
    disputed.behind(world)
    disputed.policy(world, "core", {"at_least": "2.4.0"})
    factories.policy(world.group, "bare", [], kind="hold", plugins=["crm"], tenants={"keys": ["tenant-b"]})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    conflict = Conflict.objects.waiting().get()
    answer = owner.post(address(conflict, "hold", "bare"), form(conflict, "bare"))
    assert answer.status_code == 422
    assert "“reason” is missing" in answer.content.decode()


def test_what_a_way_cannot_be_turned_into_and_what_does_not_wait_is_said(
    conflict: Conflict, owner: Client
) -> None:
    other = owner.get(address(conflict, "hold", "core")).content.decode()
    assert "This way out can’t be turned into that." in other
    assert owner.get(f"{page(conflict)}ways/9/hold/").status_code == 404
    Conflict.objects.update(status=Conflict.Status.DECIDED)
    assert "doesn’t wait any more" in owner.get(address(conflict, "draft", "core")).content.decode()
    late = owner.post(address(conflict, "draft", "core"), form(conflict, "core"))
    assert late.status_code == 422
    assert not PolicyVersion.objects.filter(policy__name="core", number=2).exists()


def test_each_change_is_for_those_who_may_make_it(world: World, conflict: Conflict, client: Client) -> None:
    may = {
        Role.APPROVER: {"exemptions"},
        Role.OPERATOR: {"exemptions"},
        Role.EDITOR: {"exemptions", "hold", "draft"},
        Role.AUDITOR: set(),
    }
    paths = {kind: address(conflict, kind, "freeze" if kind == "hold" else "core") for kind in KINDS}
    people = {role: factories.member(world.group, role.value, role) for role in may}
    for role, person in people.items():
        client.force_login(person)
        shown = client.get(page(conflict)).content.decode()
        assert {kind for kind, path in paths.items() if client.get(path).status_code == 200} == may[role]
        assert {kind for kind, path in paths.items() if f'href="{path}"' in shown} == may[role]
    for person in (world.tenant_admin, world.outsider, people[Role.AUDITOR]):
        client.force_login(person)
        for path in paths.values():
            assert client.post(path, form(conflict, "core", until="2026-03-20")).status_code == 404
    assert not Exemption.objects.exists()
    assert PolicyVersion.objects.count() == 2


def test_the_page_costs_the_same_however_much_hangs_on_it(
    world: World, conflict: Conflict, owner: Client, django_assert_max_num_queries: Any
) -> None:
    path = address(conflict, "exemptions", "core")
    owner.post(path, form(conflict, "core", until="2026-03-20"))
    owner.get(page(conflict))
    with django_assert_max_num_queries(40) as few:
        owner.get(page(conflict))
    core = Policy.objects.get(name="core")
    for number in range(6):
        tenant = factories.tenant(world.group, f"site-{number}")
        conflict.touched.create(group=world.group, tenant=tenant)
        factories.exemption(tenant, core, until=AT + timedelta(days=9), rule_key="crm")
    with django_assert_max_num_queries(len(few)):
        shown = owner.get(page(conflict)).content.decode()
    assert "Exemption of site-5" in shown
