"""Compliance reports: what they say."""

from config.access import SYSTEM
from governance import snapshots
from governance.models import (
    Conflict,
    Exemption,
    Finding,
    Plugin,
    Policy,
    Snapshot,
)
from governance.models.snapshot import Trigger
from tests.factories import AT, World
from tests.governance.reports.reported import DAY, built, text


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
