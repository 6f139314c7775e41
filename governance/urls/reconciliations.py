"""Addresses of reconciliation."""

from django.urls import URLPattern, path

from governance.views import reconciliations

urlpatterns: list[URLPattern] = [
    path("", reconciliations.reconciliation_detail, name="reconciliation_detail"),
    path("run/", reconciliations.reconciliation_run, name="reconciliation_run"),
]
