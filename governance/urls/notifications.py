"""Addresses under notifications."""

from django.urls import URLPattern, path

from governance.views import message_templates, notifications

urlpatterns: list[URLPattern] = [
    path("", notifications.notification_list, name="notification_list"),
    path("read/", notifications.notification_read_all, name="notification_read_all"),
    path("templates/", message_templates.template_list, name="template_list"),
    path("templates/<slug:kind>/<slug:language>/", message_templates.template_edit, name="template_edit"),
    path(
        "templates/<slug:kind>/<slug:language>/preview/",
        message_templates.template_preview,
        name="template_preview",
    ),
    path(
        "templates/<slug:kind>/<slug:language>/change/",
        message_templates.template_change,
        name="template_change",
    ),
    path(
        "templates/<slug:kind>/<slug:language>/restore/",
        message_templates.template_restore,
        name="template_restore",
    ),
    path("<uuid:pk>/", notifications.notification_detail, name="notification_detail"),
    path("<uuid:pk>/read/", notifications.notification_read, name="notification_read"),
    path("<uuid:pk>/acknowledge/", notifications.notification_acknowledge, name="notification_acknowledge"),
]
