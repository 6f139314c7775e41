"""Addresses of rollbacks."""

from django.urls import URLPattern, path

from governance.views import rollbacks

urlpatterns: list[URLPattern] = [
    path("", rollbacks.rollback_list, name="rollback_list"),
    path("create/", rollbacks.rollback_create, name="rollback_create"),
    path("<int:number>/", rollbacks.rollback_detail, name="rollback_detail"),
    path("<int:number>/apply/", rollbacks.rollback_apply, name="rollback_apply"),
]
