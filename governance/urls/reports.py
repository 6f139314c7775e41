"""Addresses under reports."""

from django.urls import URLPattern, path

from governance.views import reports

urlpatterns: list[URLPattern] = [
    path("", reports.report_list, name="report_list"),
    path("build/", reports.report_build, name="report_build"),
    path("<uuid:pk>/", reports.report_detail, name="report_detail"),
    path("<uuid:pk>/<slug:format>/", reports.report_download, name="report_download"),
]
