"""Addresses of simulations."""

from django.urls import URLPattern, path

from governance.views import simulations

urlpatterns: list[URLPattern] = [
    path("", simulations.simulation_list, name="simulation_list"),
    path("<uuid:pk>/", simulations.simulation_detail, name="simulation_detail"),
]
