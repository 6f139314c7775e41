"""Addresses of drift."""

from django.urls import URLPattern, path

from governance.views import drift

urlpatterns: list[URLPattern] = [
    path("", drift.drift_list, name="drift_list"),
    path("<int:pk>/", drift.finding_detail, name="finding_detail"),
    path("<int:pk>/snooze/", drift.finding_snooze, name="finding_snooze"),
    path("<int:pk>/acknowledge/", drift.finding_acknowledge, name="finding_acknowledge"),
    path("<int:pk>/unsilence/", drift.finding_unsilence, name="finding_unsilence"),
]
