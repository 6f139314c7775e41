"""Addresses of conflicts, which wait for decisions."""

from django.urls import URLPattern, path

from governance.views import conflicts

urlpatterns: list[URLPattern] = [
    path("", conflicts.conflict_list, name="conflict_list"),
    path("<uuid:pk>/", conflicts.conflict_detail, name="conflict_detail"),
    path("<uuid:pk>/reopen/", conflicts.conflict_reopen, name="conflict_reopen"),
]
