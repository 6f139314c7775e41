"""Every address of the product, read from here as a tree."""

from django.urls import URLPattern, URLResolver, include, path

from config.health import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health, name="health"),
    path("", include("tenants.urls")),
    path("metrics", include("governance.urls.metrics")),
    path("schemas/", include("governance.urls.schemas")),
    path("internal/", include("governance.api.urls")),
    path("g/<slug:group>/", include("governance.urls")),
]
