"""The group's first page."""

from django.urls import URLPattern, path

from governance.views import overview

urlpatterns: list[URLPattern] = [path("", overview.overview, name="overview")]
