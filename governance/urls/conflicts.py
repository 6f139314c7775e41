"""Addresses of conflicts, which wait for decisions, and of what their ways out are turned into."""

from django.urls import URLPattern, path

from governance.views import conflicts, remedies

_WAY = "<uuid:pk>/ways/<int:number>/"

urlpatterns: list[URLPattern] = [
    path("", conflicts.conflict_list, name="conflict_list"),
    path("<uuid:pk>/", conflicts.conflict_detail, name="conflict_detail"),
    path("<uuid:pk>/reopen/", conflicts.conflict_reopen, name="conflict_reopen"),
    path(f"{_WAY}exemptions/", remedies.conflict_exemptions, name="conflict_exemptions"),
    path(f"{_WAY}hold/", remedies.conflict_hold, name="conflict_hold"),
    path(f"{_WAY}draft/", remedies.conflict_draft, name="conflict_draft"),
]
