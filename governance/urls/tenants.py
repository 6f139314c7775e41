"""Addresses under tenants."""

from django.urls import URLPattern, path

from governance.views import tenants, windows

urlpatterns: list[URLPattern] = [
    path("", tenants.tenant_list, name="tenant_list"),
    path("<int:pk>/", tenants.tenant_detail, name="tenant_detail"),
    path("<int:pk>/consistency/", tenants.tenant_consistency, name="tenant_consistency"),
    path("<int:pk>/drift/", tenants.tenant_drift, name="tenant_drift"),
    path("<int:pk>/tasks/", tenants.tenant_tasks, name="tenant_tasks"),
    path("<int:pk>/windows/", windows.tenant_windows, name="tenant_windows"),
    path("<int:pk>/windows/agree/", windows.window_agree, name="window_agree"),
    path("<int:pk>/windows/end/", windows.window_end, name="window_end"),
    path("<int:pk>/manifests/", tenants.tenant_manifests, name="tenant_manifests"),
    path("<int:pk>/history/", tenants.tenant_history, name="tenant_history"),
]
