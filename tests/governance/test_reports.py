"""Compliance reports: what they say, their files, and that they stay as they were."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from audit.actions import Action
from audit.models import Entry, OutboxMessage, Report, ReportFile
from audit.models.report import ReportStatus
from config import queue
from config.access import SYSTEM
from governance import compliance, snapshots
from governance.models import (
    Conflict,
    ConflictTenant,
    Exemption,
    Finding,
    Installation,
    Plan,
    Plugin,
    Policy,
    PolicyVersion,
    Run,
    Snapshot,
    UpgradeTask,
    WebhookSubscription,
)
from governance.models.snapshot import Trigger
from governance.reports import documents, pdf
from governance.reports.documents import guarded
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


@pytest.fixture(autouse=True)
def _no_paper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a page takes long; only the tests that ask for `paper` look at one."""
    if "paper" not in request.fixturenames:
        monkeypatch.setattr(pdf, "write", lambda *_, **__: b"%PDF")


@pytest.fixture
def paper() -> None:
    """The PDF is really made."""


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "powerx-crm-plugin", ["2.3.0", "2.4.0"])


@pytest.fixture
def fleet(world: World, crm: Plugin) -> World:
    """tenant-b is behind and overdue soon; tenant-a was, and was brought back by a task."""
    core = policy(world)
    install(world.tenant_a, crm, "2.4.0")
    install(world.tenant_b, crm, "2.3.0")
    versions = {"release": factories.release(crm, "2.3.0"), "target": factories.release(crm, "2.4.0")}
    find(world.tenant_b, crm, core, **versions)
    find(world.tenant_a, crm, core, status="resolved", closed_at=AT, **versions)
    plan = Plan.objects.create(
        group=world.group, number=1, snapshot_number=1, inputs_digest="x", created_at=AT, created_by_name="x"
    )
    step = {"plugin": crm.name, "from": "2.3.0", "to": "2.4.0", "because": "core"}
    for tenant, status in ((world.tenant_a, "succeeded"), (world.tenant_b, "queued")):
        UpgradeTask.objects.create(
            group=world.group,
            plan=plan,
            tenant=tenant,
            status=status,
            steps=[step],
            idempotency_key=tenant.key,
            created_at=AT,
            finished_at=AT if status == "succeeded" else None,
        )
    return world


@pytest.fixture
def conflict(fleet: World, crm: Plugin) -> Conflict:
    """A hold keeps tenant-b where the core policy can't have it."""
    found = Conflict.objects.create(
        group=fleet.group,
        fingerprint="f" * 64,
        plugin=crm,
        explanation={
            "summary": "No release satisfies core-plugins and hold-b",
            "rules": [
                {"policy": "core-plugins", "key": "core", "says": "is 2.4.0 everywhere"},
                {"policy": "hold-b", "key": "hold", "says": "stays as it is"},
            ],
            "chain": [],
        },
        ways_out=[{"kind": "set_aside", "rule": "hold-b/hold", "says": "Lift the hold on tenant-b"}],
        found_at=AT,
    )
    ConflictTenant.objects.create(group=fleet.group, conflict=found, tenant=fleet.tenant_b)
    return found


def test_a_report_says_what_is_done_outstanding_and_planned(fleet: World) -> None:
    data = built(fleet).data
    assert data is not None
    assert data["summary"]["compliance_rate"] == 0.5
    assert [(row["tenant"], row["installed"], row["target"]) for row in data["outstanding"]] == [
        ("tenant-b", "2.3.0", "2.4.0")
    ]
    assert [row["tenant"] for row in data["completed"]["findings"]] == ["tenant-a"]
    assert [(row["tenant"], row["status"]) for row in data["completed"]["tasks"]] == [
        ("tenant-a", "succeeded")
    ]
    assert [(row["tenant"], row["status"]) for row in data["planned"]["tasks"]] == [("tenant-b", "queued")]


def test_a_report_counts_by_plugin_by_tenant_and_by_policy(fleet: World) -> None:
    data = built(fleet, AT + 8 * DAY).data
    assert data is not None
    assert data["by_plugin"] == [
        {
            "plugin": "powerx-crm-plugin",
            "tenants": 2,
            "versions": 2,
            "drifting_tenants": 1,
            "outstanding": 1,
            "overdue": 1,
            "accepted": 0,
        }
    ]
    assert [(row["tenant"], row["compliant"], row["overdue"]) for row in data["by_tenant"]] == [
        ("tenant-a", True, 0),
        ("tenant-b", False, 1),
    ]
    assert [(row["policy"], row["outstanding"]) for row in data["by_policy"]] == [("core-plugins", 1)]


def test_a_report_names_the_snapshot_and_the_policy_versions_that_it_goes_by(fleet: World) -> None:
    report = built(fleet)
    snapshot = Snapshot.objects.get(group=fleet.group)
    assert report.data is not None
    assert (report.snapshot_number, report.data["snapshot"]["digest"]) == (1, snapshot.digest)
    assert [(row["policy"], row["version"], row["mode"]) for row in report.data["policies"]] == [
        ("core-plugins", 3, "enforce")
    ]


def test_a_report_seals_what_is_not_sealed_yet_and_measures_it(fleet: World) -> None:
    sealed = snapshots.seal(fleet.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    report = built(fleet)
    assert report.snapshot_number == sealed.number
    sealed.refresh_from_db()
    assert sealed.compliant_tenants == 2  # the finding here has no compiled rule
    assert report.data is not None
    assert [row["number"] for row in report.data["trend"]] == [1]


def test_the_next_report_begins_where_the_last_one_ended(fleet: World, crm: Plugin) -> None:
    built(fleet)
    Finding.objects.filter(tenant=fleet.tenant_b).update(status="resolved", closed_at=AT + DAY)
    data = built(fleet, AT + 2 * DAY).data
    assert data is not None
    assert data["period"]["from"] == AT.isoformat()
    assert [row["tenant"] for row in data["completed"]["findings"]] == ["tenant-b"]
    assert data["completed"]["tasks"] == []


def test_exemptions_are_listed_with_their_end(fleet: World, paper: None, crm: Plugin) -> None:
    Exemption.objects.create(
        group=fleet.group,
        tenant=fleet.tenant_b,
        policy=Policy.objects.get(),
        reason="needs time",
        status="approved",
        starts_at=AT,
        expires_at=AT + 5 * DAY,
        requested_at=AT,
        requested_by_name="Bea",
        decided_by_name="Ada",
    )
    report = built(fleet)
    assert report.data is not None
    assert [(row["tenant"], row["expires_at"]) for row in report.data["exemptions"]] == [
        ("tenant-b", (AT + 5 * DAY).isoformat())
    ]
    assert "needs time" in text(report)


def test_a_conflict_makes_an_assessment_of_why_whom_and_what_could_be_done(
    fleet: World, paper: None, conflict: Conflict
) -> None:
    report = built(fleet)
    assert report.data is not None
    assessment = report.data["assessment"]
    assert assessment["tenants"] == ["tenant-b"]
    assert [rule["says"] for rule in assessment["conflicts"][0]["rules"]] == [
        "is 2.4.0 everywhere",
        "stays as it is",
    ]
    page = text(report)
    for part in ("a person has to decide", "hold-b/hold: stays as it is", "Lift the hold on tenant-b"):
        assert part in page


def test_a_decided_conflict_is_reported_with_who_decided_and_why(
    fleet: World, paper: None, conflict: Conflict
) -> None:
    Conflict.objects.update(
        status="decided", reason="The release is urgent", decided_by_name="Ada", decided_at=AT
    )
    report = built(fleet)
    assert report.data is not None
    assert report.data["assessment"] is None
    assert report.data["conflicts"][0]["decision"]["decided_by"] == "Ada"
    assert "The release is urgent" in text(report)


def test_the_digest_is_of_the_json_file_and_in_the_ledger(fleet: World) -> None:
    report = built(fleet)
    report.refresh_from_db()
    assert report.data is not None
    assert documents.canonical(report.data) == content(report, "json")
    assert report.digest == hashlib.sha256(content(report, "json")).hexdigest()
    entry = Entry.objects.get(action=Action.REPORT_BUILT)
    assert entry.data["digest"] == report.digest
    assert entry.data["files"] == dict(report.files.values_list("name", "sha256"))


def test_every_file_has_the_hash_and_size_of_its_bytes(fleet: World) -> None:
    files = list(built(fleet).files.all())
    assert sorted(file.format for file in files) == ["csv", "json", "pdf"]
    for file in files:
        assert file.sha256 == hashlib.sha256(bytes(file.content)).hexdigest()
        assert file.size == len(file.content)


def test_the_table_has_every_row(fleet: World, conflict: Conflict) -> None:
    rows = table(built(fleet))
    assert [(row["section"], row["tenant"], row["status"]) for row in rows] == [
        ("outstanding", "tenant-b", "new"),
        ("completed", "tenant-a", "resolved"),
        ("completed upgrade", "tenant-a", "succeeded"),
        ("planned upgrade", "tenant-b", "queued"),
        ("conflict", "tenant-b", "open"),
    ]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_compute_is_guarded(value: str) -> None:
    assert guarded(value) == f"'{value}"


def test_other_cells_are_as_they_are() -> None:
    assert [guarded(value) for value in ("2.4.0", None, True, 3)] == ["2.4.0", "", "yes", "3"]


def test_a_hostile_name_is_text_on_paper_and_guarded_in_the_table(fleet: World, paper: None) -> None:
    name = "=<script>alert('x')</script><img src='file:///etc/passwd'>"
    Tenant.objects.filter(pk=fleet.tenant_b.pk).update(key=name)
    report = built(fleet)
    assert report.status == ReportStatus.READY
    assert "<script>" in text(report)
    assert table(report)[0]["tenant"] == f"'{name}"


def test_the_paper_is_tagged_pdf_a_with_the_table_attached(fleet: World, paper: None) -> None:
    report = built(fleet)
    made = pypdf.PdfReader(io.BytesIO(content(report, "pdf")))
    root: Any = made.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3" in metadata or 'pdfaid:part="3"' in metadata
    assert made.attachments == {"acme-compliance-1.csv": [content(report, "csv")]}
    assert made.metadata is not None
    assert made.metadata.title == report.title


def test_the_paper_shows_the_worst_and_says_what_it_leaves_out(
    fleet: World, paper: None, crm: Plugin
) -> None:
    core = Policy.objects.get()
    for number in range(40):
        find(factories.tenant(fleet.group, f"t-{number:02}"), crm, core, due_at=AT - DAY)
    report = built(fleet)
    assert "the 25 due first of 41" in text(report)
    assert len([row for row in table(report) if row["section"] == "outstanding"]) == 41


def test_a_report_that_is_ready_never_changes(fleet: World) -> None:
    report = built(fleet)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(title="Better")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        ReportFile.objects.filter(report=report).update(content=b"")
    compliance.build(report.pk, at=AT + DAY)
    assert Report.objects.get().finished_at == AT


def test_a_report_outlives_what_it_speaks_of(fleet: World) -> None:
    report = built(fleet)
    before = content(report, "json")
    Finding.objects.all().delete()
    assert json.loads(before)["outstanding"][0]["tenant"] == "tenant-b"
    assert content(Report.objects.get(), "json") == before


def test_a_run_has_one_report_however_often_it_is_asked_for(fleet: World) -> None:
    first = run(fleet)
    report = compliance.report_on(first, at=AT)
    again = compliance.report_on(first, at=AT + DAY)
    assert (again.pk, again.status) == (report.pk, ReportStatus.READY)
    assert report.data is not None
    assert report.data["run"]["number"] == 1


def test_a_report_whose_builder_was_killed_is_built_anew(fleet: World) -> None:
    report = compliance.request(fleet.group, actor=SYSTEM, at=AT)
    Report.objects.filter(pk=report.pk).update(status=ReportStatus.BUILDING)
    assert compliance.build(report.pk, at=AT).status == ReportStatus.READY


def test_whether_the_group_was_ever_reported_on(fleet: World) -> None:
    assert compliance.never_reported(fleet.group)
    compliance.request(fleet.group, actor=SYSTEM, at=AT)
    assert compliance.never_reported(fleet.group)
    built(fleet)
    assert not compliance.never_reported(fleet.group)


def test_a_report_that_cannot_be_built_says_why_and_raises_an_alert(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    WebhookSubscription.objects.create(group=fleet.group, name="hook", url="https://example.org", secret="s")

    def out_of_ink(*_: object) -> None:
        raise OSError("out of ink")

    monkeypatch.setattr(documents, "render", out_of_ink)
    report = built(fleet)
    assert (report.status, report.error) == (ReportStatus.FAILED, "OSError: out of ink")
    assert OutboxMessage.objects.get(destination="webhook").payload["subject"] == "report_failed"
    monkeypatch.undo()
    assert compliance.build(report.pk, at=AT).status == ReportStatus.READY


@pytest.fixture
def report(fleet: World) -> Report:
    return built(fleet)


def test_reports_are_listed_for_those_who_reach_the_group(
    client: Client, fleet: World, report: Report
) -> None:
    client.force_login(fleet.viewer)
    assert report.title in client.get(LIST).content.decode()


def test_a_tenant_admin_and_an_outsider_find_no_reports(client: Client, fleet: World, report: Report) -> None:
    for user in (fleet.tenant_admin, fleet.outsider):
        client.force_login(user)
        for address in (LIST, f"{LIST}{report.pk}/", f"{LIST}{report.pk}/pdf/"):
            assert client.get(address).status_code == 404


def test_a_report_of_another_group_is_not_there(client: Client, fleet: World, report: Report) -> None:
    client.force_login(fleet.outsider)
    assert client.get(f"/g/elsewhere/reports/{report.pk}/").status_code == 404
    assert client.get(f"/g/elsewhere/reports/{report.pk}/pdf/").status_code == 404


def test_a_reports_page_shows_figures_breakdowns_and_hashes(
    client: Client, fleet: World, conflict: Conflict
) -> None:
    report = built(fleet)
    client.force_login(fleet.owner)
    page = client.get(f"{LIST}{report.pk}/").content.decode()
    for part in ("50 %", "core-plugins", "powerx-crm-plugin", "Lift the hold on tenant-b", report.digest):
        assert part in page


@pytest.mark.parametrize("format", ["pdf", "csv", "json"])
def test_a_file_is_downloaded_as_it_was_built(
    client: Client, fleet: World, report: Report, format: str
) -> None:
    client.force_login(fleet.viewer)
    answer = client.get(f"{LIST}{report.pk}/{format}/")
    assert answer.content == content(report, format)
    assert answer["Content-Disposition"] == f'attachment; filename="acme-compliance-1.{format}"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_format_that_there_is_not_is_not_found(client: Client, fleet: World, report: Report) -> None:
    client.force_login(fleet.viewer)
    assert client.get(f"{LIST}{report.pk}/docx/").status_code == 404


def test_building_is_asked_for_by_those_who_may_and_done_by_a_worker(
    client: Client, fleet: World, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client.force_login(fleet.viewer)
    assert client.post(f"{LIST}build/").status_code == 404
    client.force_login(fleet.owner)
    assert client.post(f"{LIST}build/").status_code == 303
    report = Report.objects.get()
    assert (report.status, report.requested_by) == (ReportStatus.QUEUED, "owner")
    page = client.get(f"{LIST}{report.pk}/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert queue.run_pending() == 1
    report.refresh_from_db()
    assert report.status == ReportStatus.READY
    assert "every 2s" not in client.get(f"{LIST}{report.pk}/").content.decode()


def test_no_report_is_built_while_governance_is_off(client: Client, fleet: World) -> None:
    fleet.group.governance_enabled = False
    fleet.group.save()
    client.force_login(fleet.owner)
    answer = client.post(f"{LIST}build/", follow=True)
    assert "switched off" in answer.content.decode()
    assert not Report.objects.exists()
