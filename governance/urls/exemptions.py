"""Addresses of exemptions."""

from django.urls import URLPattern, path

from governance.views import exemptions

urlpatterns: list[URLPattern] = [
    path("", exemptions.exemption_list, name="exemption_list"),
    path("request/", exemptions.exemption_request, name="exemption_request"),
    path("<uuid:pk>/", exemptions.exemption_detail, name="exemption_detail"),
    path("<uuid:pk>/approve/", exemptions.exemption_approve, name="exemption_approve"),
    path("<uuid:pk>/reject/", exemptions.exemption_reject, name="exemption_reject"),
    path("<uuid:pk>/revoke/", exemptions.exemption_revoke, name="exemption_revoke"),
]
