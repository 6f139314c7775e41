"""The address of a tenant admin's home."""

from django.urls import URLPattern, path

from governance.views import home

urlpatterns: list[URLPattern] = [path("", home.tenant_home, name="tenant_home")]
