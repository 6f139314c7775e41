"""Addresses of the help."""

from django.urls import URLPattern, path

from governance.views import help as pages

urlpatterns: list[URLPattern] = [
    path("", pages.help_index, name="help"),
    path("<slug:topic>/", pages.help_topic, name="help_topic"),
]
