"""The frame around every page: navigation, fragments, messages, failures."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django_htmx.middleware import HtmxDetails

from config import icons, tones
from config.access import SYSTEM
from config.lifecycle import TransitionError
from config.navigation import ENTRIES, navigation
from config.problems import TransitionErrorMiddleware
from config.rendering import render_fragment
from tenants import groups
from tenants.models import Group, Role
from tests import factories
from tests.factories import World

LIST = "/g/acme/tenants/"
HTMX = {"HX-Request": "true", "HX-Target": "tenants"}


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def test_a_page_holds_the_frame_and_a_fragment_only_its_element(owner: Client) -> None:
    page = owner.get(LIST).content.decode()
    part = owner.get(LIST, headers=HTMX).content.decode()
    assert page.startswith("<!doctype html>")
    assert part.startswith('<div id="tenants"')
    assert part.strip() in page


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Target": "elsewhere"},
        {**HTMX, "HX-Boosted": "true"},
        {**HTMX, "HX-History-Restore-Request": "true"},
    ],
)
def test_whoever_asks_for_more_than_a_fragment_gets_the_page(owner: Client, headers: dict[str, str]) -> None:
    assert owner.get(LIST, headers=headers).content.startswith(b"<!doctype html>")


def test_no_cache_may_give_a_fragment_for_a_page(owner: Client) -> None:
    assert {"HX-Request", "HX-Target"} <= set(owner.get(LIST)["Vary"].split(", "))


def test_no_page_has_inline_script_or_style(owner: Client) -> None:
    page = owner.get(LIST).content.decode()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
    assert "script-src" not in owner.get(LIST)["Content-Security-Policy"]
    assert "default-src 'self'" in owner.get(LIST)["Content-Security-Policy"]


def test_the_navigation_offers_what_the_views_admit(world: World) -> None:
    names = {link.name for link in navigation(world.access(world.viewer), LIST)}
    assert "tenant_list" in names
    assert "tenant_home" not in names  # that is for those who reach some tenants only
    assert names <= {entry.name for entry in ENTRIES}


def test_the_navigation_marks_the_page_that_it_is_on(owner: Client) -> None:
    page = owner.get(LIST).content.decode()
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == [LIST]


def test_a_tenant_admin_is_not_offered_the_groups_pages(world: World) -> None:
    names = {link.name for link in navigation(world.access(world.tenant_admin), LIST)}
    assert not names & {"overview", "tenant_list", "policy_list", "ledger_list", "plan_list"}


def test_switched_off_governance_is_said_on_the_page(world: World, owner: Client) -> None:
    assert b"Governance is switched off" not in owner.get(LIST).content
    Group.objects.filter(pk=world.group.pk).update(governance_enabled=False)
    assert b"Governance is switched off for this group" in owner.get(LIST).content


def test_a_person_of_one_group_has_nothing_to_switch(owner: Client) -> None:
    assert b"Group: " not in owner.get(LIST).content


def test_a_person_of_several_groups_can_switch_between_them(world: World, owner: Client) -> None:
    other = factories.group("other")
    groups.add_member(other, world.owner, Role.AUDITOR, actor=SYSTEM, at=factories.AT)
    page = owner.get(LIST).content.decode()
    assert 'href="/g/other/home/"' in page
    assert "/g/elsewhere/" not in page


def test_messages_travel_with_a_fragment_as_toasts(world: World, rf: RequestFactory) -> None:
    request: Any = rf.get(LIST, headers=HTMX)
    request.htmx = HtmxDetails(request)
    request._messages = CookieStorage(request)
    messages.success(request, "Saved <b>")
    html = render_fragment(request, "listing/empty.html", {"icon": "plus", "title": "x"}).content.decode()
    assert 'hx-swap-oob="beforeend:#toasts"' in html
    assert "Saved &lt;b&gt;" in html


def raced(
    rf: RequestFactory, world: World, headers: dict[str, str], sent: dict[str, str] | None = None
) -> HttpResponse:
    request: Any = rf.post(LIST, sent, headers=headers)
    request.htmx = HtmxDetails(request)

    def answer(_request: HttpRequest) -> HttpResponse:
        raise AssertionError("not reached")

    failure = TransitionError(world.tenant_a, "approved")
    response = TransitionErrorMiddleware(answer).process_exception(request, failure)
    assert response is not None
    return response


def test_losing_a_race_is_a_conflict_that_says_so(rf: RequestFactory, world: World) -> None:
    page = raced(rf, world, {})
    assert page.status_code == 409
    assert b"Someone else was faster" in page.content
    assert b"can&#x27;t become approved" in page.content


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_is_given_back_to_who_lost_a_race(
    rf: RequestFactory, world: World, headers: dict[str, str]
) -> None:
    told = "should you need it again"
    typed = raced(rf, world, headers, {"reason": "A long thought <b>"}).content.decode()
    assert f"{told}: “A long thought &lt;b&gt;”" in typed
    assert told not in raced(rf, world, headers).content.decode()


@pytest.mark.parametrize(
    ("came_from", "leads_to"),
    [
        ("http://testserver/g/acme/plans/", "http://testserver/g/acme/plans/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_who_lost_a_race_gets_back_to_the_page_and_to_none_but_ours(
    rf: RequestFactory, world: World, came_from: str, leads_to: str
) -> None:
    page = raced(rf, world, {"Referer": came_from}).content.decode()
    assert f'<a class="btn btn-primary" href="{leads_to}">' in page


def test_losing_a_race_under_htmx_leaves_the_page_and_shows_a_toast(rf: RequestFactory, world: World) -> None:
    toast = raced(rf, world, HTMX)
    assert (toast.status_code, toast["HX-Retarget"], toast["HX-Reswap"]) == (409, "#toasts", "beforeend")
    assert b"<html" not in toast.content


def test_other_failures_are_left_to_those_they_belong_to(rf: RequestFactory) -> None:
    middleware = TransitionErrorMiddleware(lambda _request: HttpResponse())
    assert middleware.process_exception(rf.get("/"), ValueError("no")) is None


def test_what_isnt_there_is_said_in_words(owner: Client) -> None:
    answer = owner.get("/g/acme/no-such-page/")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_every_failure_page_can_be_drawn_without_a_request(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert page.count("<h1") == 1
    assert "style=" not in page


def drawn(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_an_icon_that_isnt_there_is_an_error_in_the_template() -> None:
    assert "#plug" in drawn('{% icon "plug" %}')
    with pytest.raises(LookupError):
        drawn('{% icon "no-such-icon" %}')


def test_the_navigations_icons_are_there() -> None:
    assert {entry.icon for entry in ENTRIES} <= icons.names()


def test_a_state_is_told_in_words_and_coloured() -> None:
    assert drawn('{% badge "needs_decision" %}') == '<span class="state state-purple">Needs decision</span>'
    assert "state-secondary" in drawn('{% badge "never heard of it" %}')


@pytest.mark.parametrize(
    ("ratio", "text"), [(None, "–"), (0.95, "95 %"), (1 - 0.9, "10 %"), (0.99999, "99.9 %"), (1, "100 %")]
)
def test_a_share_is_rounded_down(ratio: float | None, text: str) -> None:
    assert drawn("{{ ratio|percent }}", ratio=ratio) == text


def test_a_time_says_how_long_ago_and_when_exactly() -> None:
    html = drawn("{% ago at %}", at=factories.AT)
    assert 'title="2026-03-02 09:00 (UTC)"' in html
    assert ">just now<" in html
    assert "–" in drawn("{% ago nothing %}{% due nothing %}", nothing=None)


def test_every_state_that_a_record_can_be_in_has_a_colour() -> None:
    states = {
        value
        for model in apps.get_models()
        for field in model._meta.fields
        if field.name == "status" and field.choices
        for value, _ in field.flatchoices
    }
    assert states - set(tones.TONES) == set()
