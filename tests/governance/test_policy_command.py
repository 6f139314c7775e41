"""manage.py policy: what it answers and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.access import SYSTEM
from governance import configuration, policies, profiles
from governance.models import Conflict, Finding, Policy, PolicyVersion
from governance.models.snapshot import Trigger
from governance.snapshots import seal
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import ALIGN, one_behind
from tests.ground import Kind

SCENE = Kind(one_behind)
pytestmark = pytest.mark.usefixtures("standing_scene")


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


def test_a_difference_ends_with_3_and_none_with_0(run_policy: Any, align_files: Path) -> None:
    first = run_policy("diff", align_files, "--json")
    assert first.code == 3
    assert {item["name"]: item["action"] for item in first.json["groups"]["acme"]["items"]} == {
        "steady": "add",
        "align": "add",
    }
    assert not Policy.objects.exists()
    assert run_policy("apply", align_files, "--json").code == 0
    again = run_policy("diff", align_files, "--json")
    assert (again.code, again.json["changed"]) == (0, False)


def test_applying_shows_what_changes_and_the_same_again_says_so(run_policy: Any, align_files: Path) -> None:
    first = run_policy("apply", align_files, "--yes", "--comment", "first")
    assert first.code == 0
    assert "+ policy align" in first.out
    assert "In force." in first.out
    assert PolicyVersion.objects.get().comment == "first"
    assert "nothing has changed" in run_policy("apply", align_files, "--yes").out


def test_a_broken_file_ends_with_1_and_names_file_line_and_reason(run_policy: Any, align_files: Path) -> None:
    path = align_files / configuration.BASELINES
    path.write_text(ALIGN.replace("tenants:", "tenents:"))
    answer = run_policy("apply", align_files, "--json")
    assert answer.code == 1
    assert [(problem["line"], problem["place"]) for problem in answer.json["problems"]] == [
        (5, "groups.acme.policies[0]"),
        (7, "groups.acme.policies[0].tenents"),
    ]
    assert {problem["file"] for problem in answer.json["problems"]} == {str(path)}
    plain = run_policy("apply", align_files)
    assert (plain.code, plain.out) == (1, "")
    assert "did you mean “tenants”?" in plain.err.replace("\n", "")


def test_pruning_is_only_done_when_asked(run_policy: Any, align_files: Path) -> None:
    run_policy("apply", align_files, "--json")
    (align_files / configuration.BASELINES).write_text("version: 1\ngroups:\n  acme: {policies: []}\n")
    assert run_policy("diff", align_files).code == 0
    pruned = run_policy("diff", align_files, "--prune")
    assert pruned.code == 3
    assert "- policy align" in pruned.out
    assert run_policy("apply", align_files, "--prune", "--json").code == 0
    assert Policy.objects.get().status == "retired"


def test_an_export_is_what_was_applied(run_policy: Any, align_files: Path, tmp_path: Path) -> None:
    run_policy("apply", align_files, "--json")
    assert run_policy("export", "--output", tmp_path / "out").code == 0
    assert run_policy("diff", tmp_path / "out", "--prune").code == 0
    document = run_policy("export", "--json").json
    assert document[configuration.BASELINES]["groups"]["acme"]["policies"][0]["name"] == "align"
    assert "name: align" in run_policy("export").out


def test_policies_are_listed_with_their_drift(run_policy: Any, align_files: Path) -> None:
    assert "No policies yet" in run_policy("list").out
    run_policy("apply", align_files, "--json")
    (row,) = run_policy("list", "--json").json["policies"]
    assert (row["name"], row["mode"], row["status"], row["drift"]) == ("align", "enforce", "active", 1)
    assert "align" in run_policy("list").out


def test_one_policy_is_shown_with_its_rules_in_words(run_policy: Any, align_files: Path) -> None:
    run_policy("apply", align_files, "--json")
    shown = run_policy("show", "align", "--json").json
    assert shown["tenants"] == 2
    assert "2.4.0" in shown["rules"][0]["says"]
    assert [version["number"] for version in shown["versions"]] == [1]
    assert "align: policy, in force, version 1" in run_policy("show", "align").out


def test_what_is_not_there_is_wrong_usage_and_named(run_policy: Any, align_files: Path) -> None:
    assert run_policy("show", "none").code == 2
    assert run_policy("list", "--group", "nowhere").code == 2
    assert run_policy("watch", "7").code == 2
    assert run_policy("list", "--frob").code == 2
    assert run_policy("show").code == 2
    answer = run_policy("pause", "none")
    assert answer.code == 2
    assert "no policy none" in answer.err


def test_what_is_wrong_stands_in_one_line_where_there_is_no_terminal(
    run_policy: Any, align_files: Path
) -> None:
    path = align_files / configuration.BASELINES
    path.write_text(ALIGN.replace("profile: steady", "profile: a-profile-with-quite-a-long-name-of-its-own"))
    refused = run_policy("diff", align_files)
    (line,) = refused.err.splitlines()
    assert refused.code == 1
    assert line.startswith(f"{path}:6: groups.acme.policies[0].profile: there is no profile")


def test_a_paused_policy_goes_on_when_resumed_and_only_then(run_policy: Any, align_files: Path) -> None:
    run_policy("apply", align_files, "--json")
    assert run_policy("pause", "align", "--reason", "release week", "--json").json["status"] == "paused"
    refused = run_policy("pause", "align", "--json")
    assert refused.code == 5
    assert refused.json["error"] == "The policy “align” is paused already."
    assert run_policy("resume", "align").code == 0


def test_a_dry_run_shows_the_plan_and_changes_nothing(run_policy: Any, align_files: Path) -> None:
    run_policy("apply", align_files, "--json")
    answer = run_policy("enforce", "--dry-run", "--json")
    assert answer.code == 0
    (task,) = answer.json["plan"]["tasks"]
    assert (task["tenant"], task["steps"][0]["to"]) == ("tenant-b", "2.4.0")
    assert Finding.objects.get().status in {"new", "planned"}
    assert "2.3.0 → 2.4.0" in run_policy("enforce", "--dry-run").out


def test_a_run_that_meets_a_conflict_ends_with_4(
    run_policy: Any, align_files: Path, freeze_file: Path
) -> None:
    run_policy("apply", align_files, "--json")
    run_policy("apply", freeze_file, "--json")
    answer = run_policy("enforce", "--json")
    assert (answer.code, answer.json["status"]) == (4, "needs_decision")
    assert run_policy("watch", "--json").code == 4


def test_a_run_that_leaves_a_conflict_to_an_earlier_one_says_that_it_waits(
    run_policy: Any, align_files: Path, freeze_file: Path
) -> None:
    run_policy("apply", align_files, "--json")
    run_policy("apply", freeze_file, "--json")
    assert "Run 1: Needs a decision" in run_policy("enforce").out
    again = run_policy("enforce", "--json")
    assert (again.code, again.json["status"], again.json["conflicts_left"]) == (0, "completed", 1)
    assert again.json["says"] == "Completed; 1 conflict waits for a decision"
    assert "Run 2: Completed; 1 conflict waits for a decision" in run_policy("watch", 2).out
    first = run_policy("watch", 1)
    assert first.out.count("Needs a decision:") == 1
    Conflict.objects.update(status=Conflict.Status.DECIDED)
    assert run_policy("watch", 2, "--json").json["says"] == "Completed"
    assert "Needs a decision: " not in run_policy("watch", 1).out.split("\n", 1)[1]


def test_enforcing_is_refused_while_governance_is_off(
    run_policy: Any, acme: World, align_files: Path
) -> None:
    run_policy("apply", align_files, "--json")
    type(acme.group).objects.filter(pk=acme.group.pk).update(governance_enabled=False)
    answer = run_policy("enforce", "--json")
    assert answer.code == 5
    assert "plugin-version-governance is off" in answer.json["error"]


def test_a_plan_that_waits_can_be_cancelled(run_policy: Any, align_files: Path) -> None:
    run_policy("apply", align_files, "--json")
    assert run_policy("cancel", "--json").json == {"plan": None}
    run_policy("enforce", "--dry-run", "--json")
    assert run_policy("cancel", "--json").json["status"] == "cancelled"
    assert run_policy("cancel", "7").code == 2


def test_a_rollback_is_shown_first_and_wants_the_snapshot_back_when_told(
    run_policy: Any, acme: World, align_files: Path
) -> None:
    run_policy("apply", align_files, "--json")
    seal(acme.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    acme.group.refresh_from_db()
    acme.tenant_b.group.refresh_from_db()
    factories.install(acme.tenant_b, {"crm": "2.4.0"})
    number = acme.group.open_snapshot - 1

    shown = run_policy("rollback", "align", "--to", number, "--json")
    assert shown.code == 3
    assert shown.json["tenants"] == ["tenant-b"]
    assert [one["policy"] for one in shown.json["policies"]] == ["align"]
    (action,) = shown.json["simulation"]["actions"]
    assert (action["from"], action["to"]) == ("2.4.0", "2.3.0")
    assert not Policy.objects.filter(name="rollback-1").exists()
    assert Policy.objects.get(name="align").status == "active"
    for_people = run_policy("rollback", "--to", number, "--tenant", "tenant-b")
    assert for_people.code == 3
    assert "Policies that would undo it" in for_people.out
    assert "--yes does it" in for_people.out
    assert run_policy("rollback", "align", "--to", 99).code == 1
    assert run_policy("rollback").code == run_policy("rollback", "--to", number, "--until", "never").code == 2
    nothing = run_policy("rollback", "--to", number, "--tenant", "tenant-a", "--json")
    assert (nothing.code, nothing.json["tenants"]) == (0, [])


def test_a_rollback_whose_plan_someone_has_to_approve_ends_with_4(
    run_policy: Any, acme: World, align_files: Path
) -> None:
    run_policy("apply", align_files, "--json")
    profiles.save(acme.group, {"name": "steady", "mode": "enforce", "approval": True}, actor=SYSTEM, at=AT)
    seal(acme.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    acme.tenant_b.group.refresh_from_db()
    factories.install(acme.tenant_b, {"crm": "2.4.0"})
    policies.settle(acme.group, actor=SYSTEM, at=AT)
    assert run_policy("rollback", "--to", 1, "--pause-policy", "nothing").code == 2
    done = run_policy("rollback", "--to", 1, "--pause", "--reason", "Customers call.", "--yes", "--json")
    assert done.code == 4
    assert (done.json["way"], done.json["plan"]["status"]) == ("pause", "simulated")
    assert Policy.objects.get(name="align").status == "paused"
