"""Compliance reports in the console."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from audit.models import Report
from audit.models.report import ReportStatus
from config import queue
from governance.models import (
    Conflict,
)
from tests.factories import World
from tests.governance.reports.reported import LIST, built, content


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
