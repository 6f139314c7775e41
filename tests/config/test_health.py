"""Whether the product lives."""

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from config import health


@pytest.mark.django_db
def test_anyone_learns_that_it_works(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_every_answer_carries_the_strict_policy(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy  # so that the default holds
    assert "img-src 'self' data:" in policy


def test_a_database_that_does_not_answer_is_an_error(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def cursor(self) -> None:
            raise OperationalError

    monkeypatch.setattr(health, "connection", Broken())
    client.raise_request_exception = False
    assert client.get("/healthz").status_code == 500


@pytest.mark.django_db
def test_a_load_balancer_may_ask_without_tls(client: Client) -> None:
    from django.test import override_settings

    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get("/healthz").status_code == 200
    assert settings.SECURE_REDIRECT_EXEMPT


def test_nobody_may_call_an_endpoint_that_names_no_rule() -> None:
    from rest_framework.response import Response
    from rest_framework.test import APIRequestFactory
    from rest_framework.views import APIView

    class Forgotten(APIView):
        def get(self, request: object) -> Response:
            return Response()

    assert Forgotten.as_view()(APIRequestFactory().get("/")).status_code in {401, 403}
