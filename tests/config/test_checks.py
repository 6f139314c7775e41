"""Every view states who may reach it."""

from types import ModuleType
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import get_resolver, include, path

from config.access import Permission, public, requires
from config.checks import check_access_rules, missing_rules


def _of_ours(view: Any) -> Any:
    view.__module__ = "governance.views.drift"
    return view


@_of_ours
def open_by_mistake(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@requires(Permission.GROUP_VIEW)
@_of_ours
def guarded(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@public("anyone may ask whether the product lives")
@_of_ours
def health(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def of_a_library(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


of_a_library.__module__ = "drf_spectacular.views"


def _errors(*patterns: Any) -> list[str]:
    urlconf: Any = ModuleType("urls_of_a_test")
    urlconf.urlpatterns = list(patterns)
    return [error.msg for error in missing_rules(get_resolver(urlconf))]


def test_a_view_without_a_rule_is_named_with_its_address() -> None:
    message = "The view governance.views.drift.open_by_mistake at /drift/ states no access rule."
    assert _errors(path("drift/", open_by_mistake)) == [message]


def test_views_below_an_include_are_found() -> None:
    assert (
        "/g/<slug:group>/drift/"
        in _errors(path("g/<slug:group>/", include([path("drift/", open_by_mistake)])))[0]
    )


@pytest.mark.parametrize("view", [guarded, health, of_a_library])
def test_views_with_a_rule_and_views_of_libraries_pass(view: Any) -> None:
    assert _errors(path("", view)) == []


def test_the_rule_may_stand_on_the_class_that_a_view_is_made_from() -> None:
    @_of_ours
    def made(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    made.view_class = type("Page", (), {"access_rule": "public"})
    assert _errors(path("", made)) == []


def test_the_product_itself_passes() -> None:
    assert check_access_rules() == []


def test_the_check_reads_the_configured_addresses() -> None:
    urlconf: Any = ModuleType("urls_of_another_test")
    urlconf.urlpatterns = [path("", open_by_mistake)]
    with override_settings(ROOT_URLCONF=urlconf):
        assert [error.id for error in check_access_rules()] == ["plumbline.E001"]
