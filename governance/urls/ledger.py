"""Addresses under ledger."""

from django.urls import URLPattern, path

from governance.views import ledger

urlpatterns: list[URLPattern] = [
    path("", ledger.ledger_list, name="ledger_list"),
    path("verify/", ledger.ledger_verify, name="ledger_verify"),
    path("<int:sequence>/", ledger.ledger_detail, name="ledger_detail"),
]
