"""Addresses of upgrade orders carried out by hand."""

from django.urls import URLPattern, path

from governance.views import orders

urlpatterns: list[URLPattern] = [
    path("", orders.order_list, name="order_list"),
    path("<uuid:pk>/report/", orders.order_report, name="order_report"),
]
