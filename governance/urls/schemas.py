"""Addresses of the published JSON Schemas."""

from django.urls import path

from governance.views import schemas

urlpatterns = [path("<str:name>", schemas.schema, name="schema")]
