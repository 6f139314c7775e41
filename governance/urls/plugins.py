"""Addresses of plugins."""

from django.urls import URLPattern, path

from governance.views import plugins

urlpatterns: list[URLPattern] = [
    path("", plugins.plugin_list, name="plugin_list"),
    path("<int:pk>/", plugins.plugin_detail, name="plugin_detail"),
    path("<int:pk>/releases/", plugins.plugin_releases, name="plugin_releases"),
]
