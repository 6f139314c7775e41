"""A manifest that drifts, and an exemption from its request to its end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx

from tests.journeys.people import Person
from tests.journeys.product import Product, until

PLUGIN = "powerx-crm-plugin"
DRIFT = "/g/powerx/drift/"
# The clock of running processes can't be moved, so the exemption's end is.
TIME_PASSES = """
from datetime import timedelta
from django.db.models import F
from governance.models import Exemption
Exemption.objects.filter(status="approved").update(expires_at=F("starts_at") + timedelta(seconds=1))
"""


def push(client: httpx.Client, version: str) -> None:
    """Tell what tenant-a runs now."""
    document = {
        "tenant": "tenant-a",
        "host_version": "5.0.0",
        "plugins": {PLUGIN: version},
        "observed_at": datetime.now(UTC).isoformat(),
    }
    answer = client.post("/internal/version/governance/manifest", json=document)
    assert answer.status_code == 200, answer.text
    assert [one["changed"] for one in answer.json()["accepted"]] == [True]


def drift_of(person: Person, tenant: str) -> list[str]:
    """The open findings of a tenant, as the person's page shows them."""
    return [row for row in person.rows(DRIFT) if tenant in row and PLUGIN in row]


def test_a_manifest_drifts_is_mended_and_drifts_again_until_an_exemption_covers_it(product: Product) -> None:
    client = product.client("powerx", "manifest.push")
    a_drifting_manifest_is_a_finding_as_soon_as_it_is_answered(product, client)
    push(client, "2.3.0")
    an_exemption_goes_from_its_request_to_its_end(product)


def a_drifting_manifest_is_a_finding_as_soon_as_it_is_answered(
    product: Product, client: httpx.Client
) -> None:
    """And is none any more as soon as the tenant runs what is wanted."""
    owner, admin = Person(product, "powerx-owner"), Person(product, "tenant-a-admin")
    assert drift_of(owner, "tenant-a") == []

    push(client, "2.3.0")

    [finding] = drift_of(owner, "tenant-a")
    assert "2.3.0" in finding
    assert "New" in finding
    assert "2.3.0" in admin.page("/g/powerx/mine/")
    until(lambda: "2.4.0" in drift_of(owner, "tenant-a")[0], "the worker has found the target", 120)

    push(client, "2.4.0")

    assert drift_of(owner, "tenant-a") == []


def an_exemption_goes_from_its_request_to_its_end(product: Product) -> None:
    """Asked for by the tenant's admin, granted by an approver, and over when its time is."""
    admin, other = Person(product, "tenant-a-admin"), Person(product, "tenant-b-admin")
    approver, auditor = Person(product, "powerx-approver"), Person(product, "powerx-auditor")

    asked = admin.submit(
        "/g/powerx/exemptions/request/",
        tenant="tenant-a",
        covers="core-align/crm",
        plugin=PLUGIN,
        reason="The next release breaks our import.",
        until=(datetime.now(UTC) + timedelta(days=7)).date().isoformat(),
    )
    assert asked.status_code == 200, asked.text
    found = re.search(r"/g/powerx/exemptions/[0-9a-f-]{36}/", str(asked.url))
    assert found, asked.url
    page = found[0]
    assert "Requested" in admin.page(page)
    assert other.status(page) == 404
    for nobody in (admin, other, auditor):
        assert nobody.submit(f"{page}approve/").status_code in {403, 404}
    assert "New" in drift_of(approver, "tenant-a")[0]

    approver.submit(f"{page}approve/", comment="Until the import is mended.")

    assert "Approved" in admin.page(page)
    [finding] = drift_of(approver, "tenant-a")
    assert "Accepted" in finding
    dry = product.json("policy", "enforce", "--dry-run", "--group", "powerx")
    assert [task["tenant"] for task in dry["plan"]["tasks"]] == ["tenant-b"]

    product.manage("shell", "--verbosity", "0", "-c", TIME_PASSES)
    dry = product.json("policy", "enforce", "--dry-run", "--group", "powerx")

    assert [task["tenant"] for task in dry["plan"]["tasks"]] == ["tenant-a", "tenant-b"]
    until(lambda: "Expired" in admin.page(page), "the worker has seen that it is over", 60)
    [finding] = drift_of(approver, "tenant-a")
    assert "Accepted" not in finding
