"""Where the metrics are; not within a group, since a token names its group."""

from django.urls import URLPattern, path

from governance.views import metrics

urlpatterns: list[URLPattern] = [path("", metrics.metrics_view, name="metrics")]
