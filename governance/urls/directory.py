"""Addresses of the directory."""

from django.urls import URLPattern, path

from governance.views import directory, people

urlpatterns: list[URLPattern] = [
    path("", directory.directory_list, name="directory_list"),
    path("policies/", directory.directory_policies, name="directory_policies"),
    path("problems/", directory.directory_problems, name="directory_problems"),
    path("people/", people.person_list, name="person_list"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/address/", people.person_address, name="person_address"),
    path("people/<int:pk>/enable/", people.person_enable, name="person_enable"),
    path("people/<int:pk>/deputy/", people.person_deputy, name="person_deputy"),
    path("people/<int:pk>/deputy/end/", people.person_deputy_end, name="person_deputy_end"),
    path("tenants/<int:pk>/", directory.directory_tenant, name="directory_tenant"),
    path("tenants/<int:pk>/name/", directory.directory_tenant_name, name="directory_tenant_name"),
    path("tenants/<int:pk>/end/", directory.directory_tenant_end, name="directory_tenant_end"),
    path("policies/<int:pk>/", directory.directory_policy, name="directory_policy"),
    path("policies/<int:pk>/name/", directory.directory_policy_name, name="directory_policy_name"),
    path("policies/<int:pk>/end/", directory.directory_policy_end, name="directory_policy_end"),
]
