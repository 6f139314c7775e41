"""Addresses under simulations."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
