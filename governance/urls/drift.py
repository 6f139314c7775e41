"""Addresses of drift."""

from django.urls import URLPattern, path

from governance.views import drift

urlpatterns: list[URLPattern] = [path("", drift.drift_list, name="drift_list")]
