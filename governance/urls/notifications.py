"""Addresses under notifications."""

from django.urls import URLPattern, path

from governance.views import notifications

urlpatterns: list[URLPattern] = [
    path("", notifications.notification_list, name="notification_list"),
    path("read/", notifications.notification_read_all, name="notification_read_all"),
    path("<uuid:pk>/", notifications.notification_detail, name="notification_detail"),
    path("<uuid:pk>/read/", notifications.notification_read, name="notification_read"),
    path("<uuid:pk>/acknowledge/", notifications.notification_acknowledge, name="notification_acknowledge"),
]
