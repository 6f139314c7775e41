"""Every address of the product, read from here as a tree."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("tenants.urls")),
    path("g/<slug:group>/", include("governance.urls")),
]
