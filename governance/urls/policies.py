"""Addresses of policies, and of the profiles that they are made from."""

from django.urls import URLPattern, path

from governance.views import policies, policy_texts

urlpatterns: list[URLPattern] = [
    path("", policies.policy_list, name="policy_list"),
    path("create/", policy_texts.policy_create, name="policy_create"),
    path("profiles/", policies.profile_list, name="profile_list"),
    path("<int:pk>/", policies.policy_detail, name="policy_detail"),
    path("<int:pk>/tenants/", policies.policy_tenants, name="policy_tenants"),
    path("<int:pk>/versions/", policies.policy_versions, name="policy_versions"),
    path("<int:pk>/versions/<int:number>/apply/", policies.policy_apply, name="policy_apply"),
    path("<int:pk>/edit/", policy_texts.policy_edit, name="policy_edit"),
    path("<int:pk>/pause/", policies.policy_pause, name="policy_pause"),
    path("<int:pk>/resume/", policies.policy_resume, name="policy_resume"),
    path("<int:pk>/retire/", policies.policy_retire, name="policy_retire"),
]
