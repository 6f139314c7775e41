"""Addresses of simulations."""

from django.urls import URLPattern, path

from governance.views import simulations

urlpatterns: list[URLPattern] = [
    path("", simulations.simulation_list, name="simulation_list"),
    path("create/", simulations.simulation_create, name="simulation_create"),
    path("<uuid:pk>/", simulations.simulation_detail, name="simulation_detail"),
    path("<uuid:pk>/repeat/", simulations.simulation_repeat, name="simulation_repeat"),
    path("<uuid:pk>/apply/", simulations.simulation_apply, name="simulation_apply"),
    path("<uuid:pk>/<slug:kind>/", simulations.simulation_download, name="simulation_download"),
]
