"""Addresses under plugins."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
