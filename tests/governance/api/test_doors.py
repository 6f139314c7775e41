"""Who gets in at the endpoints, and what a refusal looks like."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from config.access import SYSTEM, Permission
from governance.api.urls import urlpatterns
from tenants import reach
from tenants.models import ServiceToken
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service

pytestmark = pytest.mark.django_db
OPEN = {"api_schema", "api_docs", "api_upgrade_status"}
ZERO = "00000000-0000-0000-0000-000000000000"


def addresses() -> list[str]:
    """An address of every endpoint that wants a token."""
    texts = [
        str(entry.pattern)
        for entry in urlpatterns
        if isinstance(entry, URLPattern) and entry.name not in OPEN
    ]
    for part, value in (("<uuid:pk>", ZERO), ("<int:number>", "1"), ("<slug:kind>", "pdf")):
        texts = [text.replace(part, value) for text in texts]
    return texts


def call(path: str, **headers: str) -> Any:
    """The endpoint's answer to whichever method it takes."""
    client = Client(headers=headers)
    answer: Any = client.post(f"/internal/{path}", "{}", content_type="application/json")
    return client.get(f"/internal/{path}") if answer.status_code == 405 else answer


@pytest.mark.parametrize("path", addresses())
def test_without_a_token_nobody_gets_in(path: str) -> None:
    answer = call(path)

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert "Bearer" in answer["WWW-Authenticate"]


@pytest.mark.parametrize("path", addresses())
def test_a_token_without_the_scope_is_refused(path: str, service: Issue) -> None:
    answer = call(path, Authorization=f"Bearer {service(Permission.METRICS_READ).secret}")

    assert answer.status_code == 403
    assert "scope" in answer.json()["detail"]


def test_a_revoked_token_is_worthless(world: World, service: Issue) -> None:
    caller = service(Permission.POLICY_ENFORCE)
    reach.revoke_token(world.group, name="test", actor=SYSTEM, at=timezone.now())

    assert caller.get("version/policy/conflicts").status_code == 401


def test_an_expired_token_is_worthless(service: Issue) -> None:
    caller = service(Permission.POLICY_ENFORCE)
    ServiceToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert caller.get("version/policy/conflicts").status_code == 401


def test_only_the_digest_of_a_token_is_kept(service: Issue) -> None:
    caller = service(Permission.POLICY_ENFORCE)

    assert caller.secret not in str(ServiceToken.objects.values_list().get())


def test_a_person_signed_in_is_not_a_service(client: Client, world: World) -> None:
    client.force_login(world.owner)

    assert client.get("/internal/version/policy/conflicts").status_code == 401


def test_a_run_of_another_group_is_not_found(world: World, service: Issue) -> None:
    from governance import pipeline
    from governance.models.snapshot import Trigger

    run = pipeline.start_run(world.group, trigger=Trigger.ENDPOINT, actor=SYSTEM, at=AT)
    stranger = service(Permission.POLICY_ENFORCE, group=world.outsider.memberships.get().group)

    assert stranger.get(f"version/policy/enforce/{run.pk}").status_code == 404


def test_a_malformed_body_is_a_problem_with_its_place(service: Issue) -> None:
    answer = service(Permission.POLICY_ENFORCE).post("version/policy/enforce", {"dry_runn": True})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "dry_runn", "reason": "Unknown field."}]


def test_what_is_no_json_is_a_problem(service: Issue) -> None:
    answer = service(Permission.POLICY_ENFORCE).post("version/policy/enforce", "{")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_with_governance_off_the_reason_is_told(world: World, service: Issue) -> None:
    world.group.governance_enabled = False
    world.group.save()

    answer = service(Permission.POLICY_ENFORCE).post("version/policy/enforce")

    assert answer.status_code == 409
    assert "plugin-version-governance" in answer.json()["detail"]


def test_the_document_describes_every_endpoint(client: Client) -> None:
    text = client.get("/internal/schema").content.decode()

    for path in addresses():
        if ZERO not in path and "1" not in path.split("/"):
            assert f"/internal/{path}:" in text
    assert "/internal/version/upgrade/status:" in text


def test_the_browsable_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/internal/docs/")

    assert page.status_code == 200
    assert b"https://" not in page.content.replace(b"https://github.com", b"")
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "script-src" not in page["Content-Security-Policy"]


def enforced(caller: Service, key: str) -> Any:
    return caller.post("version/policy/enforce", {"dry_run": True}, key=key)


def test_the_same_key_gets_the_same_run(service: Issue) -> None:
    caller = service(Permission.POLICY_ENFORCE)

    first, again = enforced(caller, "k"), enforced(caller, "k")

    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"


def test_the_same_key_for_another_request_is_refused(service: Issue) -> None:
    caller = service(Permission.POLICY_ENFORCE)
    enforced(caller, "k")

    answer = caller.post("version/policy/enforce", {"dry_run": True, "policies": []}, key="k")

    assert answer.status_code == 422
    assert answer.json()["type"].endswith("key-reused")
