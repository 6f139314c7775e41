"""Addresses of conflicts."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
