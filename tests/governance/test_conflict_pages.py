"""Decisions in the console: why rules conflict, what could be done, and a person's word on it."""

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from config.access import SYSTEM
from governance import policies
from governance.models import Conflict, ConflictTenant, Finding, Plugin
from governance.reports import decisions
from tenants.models import Group, Role
from tests import factories
from tests.factories import AT, World
from tests.governance.furnished import Furnished

LIST = "/g/acme/decisions/"


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


@pytest.fixture
def page(house: Furnished) -> str:
    return f"{LIST}{house.conflict.pk}/"


def text(client: Client, path: str, target: str = "") -> str:
    response = client.get(path, headers={"HX-Request": "true", "HX-Target": target} if target else {})
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_what_waits_and_whom_it_touches(house: Furnished, owner: Client, page: str) -> None:
    shown = text(owner, LIST)
    assert f'href="{page}"' in shown
    assert "Needs a decision" in shown
    assert '<td class="num">1</td>' in shown
    assert "Nothing matches" in text(owner, f"{LIST}?status=decided")
    assert text(owner, LIST, "conflicts").startswith('<div id="conflicts"')


def test_lists_cost_the_same_however_long_they_are(
    house: Furnished, owner: Client, page: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(60) as few:
        text(owner, LIST)
        text(owner, page)
    for number in range(8):
        tenant = factories.tenant(house.world.group, f"site-{number}")
        Conflict.objects.create(
            group=house.world.group,
            fingerprint=str(number),
            plugin=house.crm,
            explanation={"summary": "x", "rules": []},
            found_at=AT,
        )
        ConflictTenant.objects.create(group=house.world.group, conflict=house.conflict, tenant=tenant)
    with django_assert_max_num_queries(len(few)):
        text(owner, LIST)
        text(owner, page)


def test_a_conflict_names_its_rules_its_tenants_and_ways_out(
    house: Furnished, owner: Client, page: str
) -> None:
    shown = text(owner, page)
    assert "core/crm" in shown
    assert "stay/hold" in shown
    assert "tenant-b" in shown
    assert "tenant-a" not in shown
    assert "Choose this" in shown
    assert text(owner, page, "touched").startswith('<div id="touched"')


def test_a_way_out_fills_in_the_form(house: Furnished, owner: Client, page: str) -> None:
    for place, way in enumerate(house.conflict.ways_out, start=1):
        shown = text(owner, f"{page}?way={place}")
        ticked = {f"{rule['policy']}/{rule['key']}" for rule in way["set_aside"]}
        assert shown.count("checked") == len(ticked)
    assert "checked" not in text(owner, f"{page}?way=nonsense")


def test_every_set_is_told_by_itself_with_its_policies(house: Furnished, owner: Client, page: str) -> None:
    explanation = house.conflict.explanation
    (one,) = explanation["sets"]
    assert "There is no other such set." in text(owner, page)
    assert "Set 1 of" not in text(owner, page)
    second = {"rules": one["rules"][:1], "chain": ["crm 2.4.0 needs erp >=2, and erp is at 1.0.0"]}
    told = {**explanation, "sets": [one, second], "stuck": ["crm", "erp"], "complete": False, "proved": False}
    Conflict.objects.filter(pk=house.conflict.pk).update(explanation=told)
    for shown in (text(owner, page), text(owner, LIST)):
        assert "There may be more: the search stopped at its bound." in shown
        assert "The search was given up" in shown
    shown = text(owner, page)
    assert "Set 1 of 2" in shown
    assert "needs erp &gt;=2" in shown
    assert f'<a href="/g/acme/policies/{house.core.pk}/">core/crm</a> wants crm 2.4.0 or newer' in shown
    for name in ("crm", "erp"):
        plugin = Plugin.objects.get(name=name)
        assert f'<a href="/g/acme/plugins/{plugin.pk}/">{name}</a>' in shown


def test_many_sets_do_not_push_away_what_could_be_done(house: Furnished, owner: Client, page: str) -> None:
    explanation = house.conflict.explanation
    told = {**explanation, "sets": [{**explanation["sets"][0], "chain": [f"link {n}"]} for n in range(7)]}
    Conflict.objects.filter(pk=house.conflict.pk).update(explanation=told)
    first, folded = text(owner, page).split("<summary>2 more sets</summary>")
    assert "Set 5 of 7" in first
    assert "Set 6 of 7" not in first
    assert folded.index("link 6") < folded.index("What could be done")


def test_a_conflict_that_is_gone_says_why(house: Furnished, owner: Client, page: str) -> None:
    Conflict.objects.filter(pk=house.conflict.pk).update(status="closed", closed_at=timezone.now())
    assert "No tenant is in this conflict any more" in text(owner, page)


def test_a_rule_that_cannot_be_kept_even_alone_is_not_said_to_conflict(
    house: Furnished, owner: Client, page: str
) -> None:
    explanation = house.conflict.explanation
    (one,) = explanation["sets"]
    told = {**explanation, "sets": [{**one, "rules": one["rules"][:1]}]}
    Conflict.objects.filter(pk=house.conflict.pk).update(explanation=told)
    shown = text(owner, page)
    assert "Why there is no way" in shown
    assert "This rule can’t be kept here" in shown
    for together in ("Why they conflict", "Without any one of them", "other such set"):
        assert together not in shown
    Conflict.objects.filter(pk=house.conflict.pk).update(explanation={**told, "complete": False})
    assert "There may be more" in text(owner, page)


@pytest.fixture
def hard(house: Furnished) -> Conflict:
    """Given up by the solver before it found which rules stand in the way."""
    explanation = house.conflict.explanation
    told = {**explanation, "sets": [], "chain": [], "complete": False, "proved": False}
    Conflict.objects.filter(pk=house.conflict.pk).update(explanation=told, ways_out=[])
    house.conflict.refresh_from_db()
    return house.conflict


def test_a_conflict_without_a_proof_shows_what_binds_there_and_can_be_decided(
    hard: Conflict, owner: Client, page: str
) -> None:
    unproved = "The search was given up before it found which rules can’t hold together"
    assert unproved in text(owner, LIST)
    assert "0 sets" not in text(owner, LIST)
    shown = text(owner, page)
    assert unproved in shown
    assert "What binds there" in shown
    assert "core/crm</a> wants crm 2.4.0 or newer" in shown
    for certain in (
        "Why they conflict",
        "Without any one of them",
        "no other such set",
        "There are no other such sets",
        "There may be more",
    ):
        assert certain not in shown
    owner.post(page, {"set_aside": ["stay/hold"], "reason": "The train has left"})
    hard.refresh_from_db()
    assert hard.status != "open"


def test_simulations_and_reports_say_that_a_conflict_is_unproved(hard: Conflict) -> None:
    (told,) = decisions.conflicts(hard.group, since=None, at=hard.found_at)
    shown = render_to_string("governance/conflicts/_why.html", {"conflict": told})
    assert "What binds there:" in shown
    assert "Why they conflict" not in shown
    assert "that there is no way isn’t proved" in shown


def test_a_choice_that_does_not_lead_out_is_refused_on_the_form(
    house: Furnished, owner: Client, page: str
) -> None:
    cap = [{"name": "cap", "plugins": ["crm"], "at_most": "2.3.0"}]
    factories.policy(house.world.group, "cap", cap, tenants={"keys": ["tenant-b"]})
    policies.settle(house.world.group, actor=SYSTEM, at=AT)
    conflict = Conflict.objects.waiting().get()
    answer = owner.post(f"{LIST}{conflict.pk}/", {"set_aside": ["stay/hold"], "reason": "Agreed"})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "That isn&#x27;t enough" in shown
    assert "Record the decision" in shown
    conflict.refresh_from_db()
    assert conflict.status == "open"


def test_a_decision_that_holds_again_says_that_it_was_taken_earlier(
    house: Furnished, owner: Client, page: str
) -> None:
    owner.post(page, {"set_aside": ["core/crm"], "reason": "The train has left"})
    assert "decided earlier" not in text(owner, page) + text(owner, LIST)
    for version in ("2.4.0", "2.3.0"):
        crm = {"crm": version, "host-app": "10.0.0", "erp": "1.0.0"}
        factories.install(house.world.tenant_b, crm)
        policies.settle(house.world.group, actor=SYSTEM, at=timezone.now())
    house.conflict.refresh_from_db()
    assert house.conflict.status == "decided"
    for path in (page, LIST):
        assert re.search(r"decided earlier by owner on .*: The train has left", text(owner, path))
    finding = Finding.objects.open().get(tenant=house.world.tenant_b, plugin=house.crm)
    assert "decided earlier by owner" in finding.reason


def test_a_decision_is_recorded_and_the_finding_moves_on(house: Furnished, owner: Client, page: str) -> None:
    answer = owner.post(page, {"set_aside": ["stay/hold"], "reason": "The train has left"})
    assert answer.headers["Location"] == page
    house.conflict.refresh_from_db()
    assert (house.conflict.status, house.conflict.decided_by_name) == ("decided", "owner")
    shown = text(owner, page)
    assert "The train has left" in shown
    assert "Take the decision back" in shown
    ways = re.findall(r'<li class="list-group-item">(.*?)</li>', shown, re.DOTALL)
    (chosen,) = (way for way in ways if ">Chosen<" in way)
    assert chosen.startswith("Set stay aside here: crm goes to 2.4.0")
    finding = Finding.objects.get(tenant=house.world.tenant_b, plugin=house.crm, policy=house.core)
    assert str(finding.target) == "2.4.0"
    assert owner.post(page, {"set_aside": ["stay/hold"], "reason": "again"}).status_code == 409


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"reason": "x"}, "Choose at least one rule that gives way."),
        ({"set_aside": ["stay/hold"], "reason": "  "}, "This field is required."),
        ({"set_aside": ["stay/other"], "reason": "x"}, "Select a valid choice"),
    ],
)
def test_half_a_decision_is_told_what_it_lacks(
    house: Furnished, owner: Client, page: str, data: dict[str, Any], told: str
) -> None:
    answer = owner.post(page, data)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    house.conflict.refresh_from_db()
    assert house.conflict.status == "open"


def test_a_decision_is_taken_back_with_a_reason(house: Furnished, owner: Client, page: str) -> None:
    owner.post(page, {"set_aside": ["stay/hold"], "reason": "The train has left"})
    nothing = owner.post(f"{page}reopen/", follow=True)
    assert "Say why the decision is taken back." in nothing.content.decode()
    assert owner.post(f"{page}reopen/", {"reason": "It came back"}).status_code == 303
    house.conflict.refresh_from_db()
    assert house.conflict.status == "open"
    assert owner.post(f"{page}reopen/", {"reason": "again"}).status_code == 409


@pytest.mark.parametrize("verb", ["", "reopen/"])
def test_nothing_is_decided_while_governance_is_off(
    house: Furnished, owner: Client, page: str, verb: str
) -> None:
    decision = {"set_aside": ["stay/hold"], "reason": "x"}
    if verb:
        owner.post(page, decision)
    Group.objects.filter(pk=house.world.group.pk).update(governance_enabled=False)
    answer = owner.post(f"{page}{verb}", decision, follow=True)
    assert "plugin-version-governance is off" in answer.content.decode()
    house.conflict.refresh_from_db()
    assert house.conflict.status == ("decided" if verb else "open")


def test_only_owners_and_approvers_decide(house: Furnished, client: Client, page: str) -> None:
    operator = factories.member(house.world.group, "operator", Role.OPERATOR)
    for user in (house.world.viewer, operator):
        client.force_login(user)
        assert "Owners and approvers of the group decide conflicts." in text(client, page)
        assert client.post(page, {"set_aside": ["stay/hold"], "reason": "x"}).status_code == 404
    for user in (house.world.tenant_admin, house.world.outsider):
        client.force_login(user)
        assert client.get(page).status_code == 404
    client.force_login(factories.member(house.world.group, "approver", Role.APPROVER))
    assert client.post(page, {"set_aside": ["stay/hold"], "reason": "x"}).status_code == 303


def test_an_empty_group_has_nothing_to_decide(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "Nothing to decide" in text(client, LIST)


def test_reports_and_simulations_tell_some_sets_and_how_many_more_there_are(house: Furnished) -> None:
    (told,) = decisions.conflicts(house.world.group, since=None, at=house.conflict.found_at)
    one_set = render_to_string("governance/conflicts/_why.html", {"conflict": told})
    assert "Why they conflict:" in one_set
    assert "stay/hold: keeps crm at 2.3.0" in one_set
    assert "no other such set" not in one_set
    told = {**told, "sets": told["sets"] * 5, "complete": False}
    many = render_to_string("governance/conflicts/_why.html", {"conflict": told})
    assert many.count("stay/hold") == 3
    assert "And 2 more. There may be more: the search stopped at its bound." in many
