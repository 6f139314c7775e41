"""Addresses of deliveries, and of the webhooks that some of them go to."""

from django.urls import URLPattern, path

from governance.views import deliveries, webhooks

urlpatterns: list[URLPattern] = [
    path("", deliveries.delivery_list, name="delivery_list"),
    path("retry/", deliveries.delivery_retry_all, name="delivery_retry_all"),
    path("<uuid:pk>/retry/", deliveries.delivery_retry, name="delivery_retry"),
    path("circuits/<int:pk>/retry/", deliveries.circuit_retry, name="circuit_retry"),
    path("webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("webhooks/add/", webhooks.webhook_add, name="webhook_add"),
    path("webhooks/<int:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path("webhooks/<int:pk>/end/", webhooks.webhook_end, name="webhook_end"),
]
