"""What reports are made of, and how tests read them."""

import csv
import io
from datetime import timedelta
from typing import Any

import pypdf

from audit.models import Report
from config.access import SYSTEM
from governance import compliance
from governance.models import (
    Finding,
    Installation,
    Plugin,
    Policy,
    PolicyVersion,
    Run,
)
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

DAY = timedelta(days=1)
LIST = "/g/acme/reports/"


def policy(world: World, name: str = "core-plugins") -> Policy:
    made = Policy.objects.create(group=world.group, name=name, status=Policy.Status.ACTIVE)
    made.current = PolicyVersion.objects.create(
        policy=made, number=3, document={}, digest="d" * 64, profile={"mode": "enforce"}, created_at=AT
    )
    made.save()
    return made


def install(tenant: Tenant, plugin: Plugin, version: str) -> None:
    Installation.objects.create(
        group_id=tenant.group_id,
        tenant=tenant,
        plugin=plugin,
        release=factories.release(plugin, version),
        since=1,
    )


def find(tenant: Tenant, plugin: Plugin, policy: Policy, **fields: Any) -> Finding:
    known = {"opened_at": AT, "opened_snapshot": 1, "due_at": AT + 7 * DAY, "rule_key": "core", **fields}
    return Finding.objects.create(
        group_id=tenant.group_id, tenant=tenant, plugin=plugin, policy=policy, **known
    )


def built(world: World, at: Any = AT) -> Report:
    return compliance.build(compliance.request(world.group, actor=SYSTEM, at=at).pk, at=at)


def run(world: World) -> Run:
    return Run.objects.create(
        group=world.group,
        number=1,
        trigger="hand",
        status="completed",
        started_by_name="x",
        started_at=AT,
    )


def content(report: Report, format: str) -> bytes:
    return bytes(report.files.get(format=format).content)


def table(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(report, "csv").decode())))


def text(report: Report) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content(report, "pdf"))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
