"""Addresses of snapshots."""

from django.urls import URLPattern, path

from governance.views import snapshots

urlpatterns: list[URLPattern] = [
    path("", snapshots.snapshot_list, name="snapshot_list"),
    path("seal/", snapshots.snapshot_seal, name="snapshot_seal"),
    path("compare/", snapshots.snapshot_compare, name="snapshot_compare"),
    path("<int:number>/", snapshots.snapshot_detail, name="snapshot_detail"),
]
