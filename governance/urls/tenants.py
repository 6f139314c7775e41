"""Addresses under tenants."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
