"""Addresses under exemptions."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
