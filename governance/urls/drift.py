"""Addresses under drift."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
