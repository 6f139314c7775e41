"""The files of compliance reports."""

import hashlib
import io
from typing import Any

import pypdf
import pytest

from audit.actions import Action
from audit.models import Entry
from audit.models.report import ReportStatus
from governance.models import (
    Conflict,
    Plugin,
    Policy,
)
from governance.reports import documents
from governance.reports.documents import guarded
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World
from tests.governance.reports.reported import DAY, built, content, find, table, text


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
