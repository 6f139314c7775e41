"""manage.py policy simulate: what it answers, how it ends, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from governance import configuration, conflict_wording
from governance.models import Policy, Simulation
from tests import factories
from tests.factories import World
from tests.governance.commanding import ALIGN, FREEZE, one_behind
from tests.ground import Kind

SCENE = Kind(one_behind)
pytestmark = pytest.mark.usefixtures("standing_scene")


def test_a_simulation_ends_with_3_where_it_makes_a_difference(run_policy: Any, align_files: Path) -> None:
    answer = run_policy("simulate", "--against", align_files, "--json", "--title", "First")
    assert answer.code == 3
    assert answer.json["after"]["drift"] == 1
    assert Simulation.objects.get().title == "First"
    assert not Policy.objects.exists()
    run_policy("apply", align_files, "--json")
    assert run_policy("simulate", "--against", align_files).code == 0


def test_a_simulation_ends_with_4_at_a_new_conflict(
    run_policy: Any, align_files: Path, tmp_path: Path
) -> None:
    run_policy("apply", align_files, "--json")
    freeze = tmp_path / "freeze.yaml"
    freeze.write_text(FREEZE)
    answer = run_policy("simulate", "--against", freeze, "--json")
    assert answer.code == 4
    assert answer.json["difference"]["conflicts_new"] == 1
    assert run_policy("simulate", "--against", freeze, "--fail-on", "conflict").code == 4
    assert run_policy("simulate", "--against", freeze, "--fail-on", "never").code == 0


def test_people_are_told_tenants_counted_and_rates_in_per_cent(
    run_policy: Any, align_files: Path, tmp_path: Path
) -> None:
    run_policy("apply", align_files, "--json")
    freeze = tmp_path / "freeze.yaml"
    freeze.write_text(FREEZE)
    told = " ".join(run_policy("simulate", "--against", freeze).out.split())
    assert "A new conflict in 1 tenant: " in told
    assert "tenants in line 1 of 2 (50.0 %) 1 of 2 (50.0 %)" in told


def test_people_are_told_where_the_search_for_conflicting_sets_stopped(
    run_policy: Any, align_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_policy("apply", align_files, "--json")
    freeze = tmp_path / "freeze.yaml"
    freeze.write_text(FREEZE)
    monkeypatch.setattr(conflict_wording, "extent", lambda _: "There may be more such sets.")
    assert "There may be more such sets." in run_policy("simulate", "--against", freeze).out


def test_the_help_tells_all_exit_codes_and_what_it_may_fail_on(run_policy: Any) -> None:
    told = " ".join(run_policy("simulate", "--help").out.replace("│", " ").split())
    for code in ("0 no difference", "1 the files", "2 wrong", "3 what", "4 a new conflict", "5 refused"):
        assert code in told
    for word in ("difference: any", "worse: fewer", "conflict: new", "never: nothing"):
        assert word in told


@pytest.mark.parametrize(
    ("version", "fail_on", "code"),
    [
        ("2.4.0", "difference", 3),
        ("2.4.0", "worse", 3),
        ("2.4.0", "conflict", 0),
        ("2.4.0", "never", 0),
        ("2.3.0", "difference", 3),
        ("2.3.0", "worse", 0),
    ],
)
def test_what_a_pipeline_fails_on_is_chosen(
    run_policy: Any, align_files: Path, version: str, fail_on: str, code: int
) -> None:
    if version == "2.3.0":  # where a stricter policy is in force already
        run_policy("apply", align_files, "--json")
    path = align_files / configuration.BASELINES
    path.write_text(ALIGN.replace("same: true, at: 2.4.0", f"at_least: {version}"))
    assert run_policy("simulate", "--against", align_files, "--fail-on", fail_on).code == code


def test_of_a_long_table_it_says_how_much_more_there_is(
    run_policy: Any, align_files: Path, standing_scene: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.plugin(standing_scene.group, "mail", ["1.0.0", "2.0.0"])
    factories.install(standing_scene.tenant_b, {"crm": "2.3.0", "mail": "1.0.0"})
    path = align_files / configuration.BASELINES
    path.write_text(f"{ALIGN}          - {{name: mail, plugins: [mail], at_least: 2.0.0}}\n")
    whole = run_policy("simulate", "--against", align_files).out
    monkeypatch.setattr("governance.cli.simulations.SHOWN", 1)
    short = run_policy("simulate", "--against", align_files).out
    assert " mail " in whole
    assert "more, which --json tells" not in whole
    assert " mail " not in short
    assert "and 1 more, which --json tells" in short


def test_whoever_is_asked_and_says_no_is_told_that_nothing_was_changed(
    run_policy: Any, align_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise typer.Abort

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", refuse)
    run_policy("simulate", "--against", align_files)
    for what in ([align_files], ["--simulation", 1]):
        answer = run_policy("apply", *what)
        assert (answer.code, answer.err) == (3, "Nothing was changed.\n")
        assert not Policy.objects.exists()
    assert run_policy("apply", "--simulation", 1, "--yes").code == 0
    assert run_policy("apply", "--simulation", 1).code == 5, "what can't be done any more isn't asked about"
    assert Policy.objects.exists()


def test_programs_are_not_asked(run_policy: Any, align_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert run_policy("apply", align_files, "--json").code == 0
    assert Policy.objects.exists()


def test_a_simulation_that_makes_no_difference_shows_no_empty_table(
    run_policy: Any, align_files: Path
) -> None:
    assert "comes" in run_policy("simulate", "--against", align_files).out
    run_policy("apply", align_files, "--json")
    assert "comes" not in run_policy("simulate", "--against", align_files).out


def test_a_summary_for_the_review_is_written(run_policy: Any, align_files: Path, tmp_path: Path) -> None:
    run_policy("simulate", "--against", align_files, "--title", "Align", "--markdown", tmp_path / "review.md")
    text = (tmp_path / "review.md").read_text()
    assert text.startswith("## Align\n")
    assert "It opens 1 finding" in text


def test_files_that_want_nothing_of_the_group_are_no_reason_to_let_a_change_pass(
    run_policy: Any, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("version: 1\ngroups: {}\n")
    answer = run_policy("simulate", "--against", nothing)
    assert (answer.code, "wants nothing of the group" in answer.err) == (1, True)
    assert not Simulation.objects.exists()
    assert run_policy("simulate", "--against", nothing, "--at", "in 9d").code == 0


def test_a_summary_that_can_not_be_written_is_refused_before_anything_is_worked_out(
    run_policy: Any, align_files: Path, tmp_path: Path
) -> None:
    for path, why in ((tmp_path / "missing" / "review.md", "No such file"), (tmp_path, "Is a directory")):
        answer = run_policy("simulate", "--against", align_files, "--markdown", path)
        assert (answer.code, f"can't be written: {why}" in " ".join(answer.err.split())) == (2, True)
    assert run_policy("simulate", "--retire", "none", "--markdown", tmp_path / "review.md").code == 1
    assert not (tmp_path / "review.md").exists(), "no empty summary is left of a refusal"
    assert not Simulation.objects.exists()


def test_more_than_the_files_is_supposed_by_options(
    run_policy: Any, align_files: Path, tmp_path: Path
) -> None:
    run_policy("apply", align_files, "--json")
    asked = run_policy("simulate", "--retire", "align", "--at", "in 9d", "--json")
    assert (asked.code, asked.json["difference"]["closed"]) == (3, 1)
    assert asked.json["supposed"] == {"retired": ["align"], "at": "in 9d"}
    release = tmp_path / "what-if.yaml"
    release.write_text("releases:\n  - {plugin: crm, version: 2.5.0}\n")
    assert run_policy("simulate", "--suppose", release, "--json").json["supposed"]["releases"]
    gone = run_policy("simulate", "--withdraw", "crm=2.4.0", "--json").json
    assert gone["supposed"] == {"withdrawn": [{"plugin": "crm", "version": "2.4.0"}]}


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--retire", "none"), 1, "no policy in force"),
        (("--withdraw", "crn=2.4.0"), 1, "there is no plugin “crn”; did you mean “crm”?"),
        (("--end", "none"), 1, "no exemption in force"),
        (("--withdraw", "crm"), 2, "plugin=version"),
        (("--snapshot", "9"), 1, "no snapshot 9"),
        (("--fail-on", "rain"), 2, ""),
    ],
)
def test_what_can_not_be_supposed_is_named(
    run_policy: Any, align_files: Path, options: tuple[str, ...], code: int, told: str
) -> None:
    answer = run_policy("simulate", *options)
    assert (answer.code, told in answer.err) == (code, True)
    assert not Simulation.objects.exists()


def test_a_simulation_is_applied_by_its_number_unless_the_world_moved(
    run_policy: Any, align_files: Path
) -> None:
    run_policy("simulate", "--against", align_files, "--json")
    run_policy("simulate", "--against", align_files, "--json")
    applied = run_policy("apply", "--simulation", "1", "--json")
    assert (applied.code, len(applied.json["plan"]["tasks"])) == (0, 1)
    refused = run_policy("apply", "--simulation", "2", "--json")
    assert refused.code == 5
    assert "the policies in force" in refused.json["error"]
    assert run_policy("apply", "--simulation", "9").code == 2


def test_without_a_title_it_is_called_by_what_it_supposes(run_policy: Any, align_files: Path) -> None:
    assert (
        run_policy("simulate", "--against", align_files, "--json").json["title"]
        == "policy align, profile steady"
    )
    run_policy("apply", align_files, "--json")
    same = run_policy("simulate", "--against", align_files, "--json").json
    assert same["title"] == "Nothing else than is in force"


def test_a_tenant_that_may_still_come_is_warned_of_on_standard_error_and_in_the_json(
    run_policy: Any, align_files: Path
) -> None:
    path = align_files / configuration.BASELINES
    path.write_text(ALIGN.replace('"*"', "{keys: [tenant-x]}"))

    told = run_policy("simulate", "--against", align_files)
    document = run_policy("simulate", "--against", align_files, "--json")

    assert (told.code, document.code) == (0, 0)
    assert "makes no difference" in told.out
    assert f"warning: {path}:7: " in told.err
    (warning,) = document.json["warnings"]
    assert "there is no tenant “tenant-x” yet; did you mean" in warning
    assert document.err == ""


def test_a_document_of_what_else_is_supposed_is_warned_of_too(run_policy: Any, tmp_path: Path) -> None:
    hold = "{name: week, tenants: {keys: [tenant-x]}, plugins: [crm], until: in 9 days, reason: Quiet.}"
    supposed = tmp_path / "supposed.yaml"
    supposed.write_text(f"holds:\n  - {hold}\n")

    answer = run_policy("simulate", "--suppose", supposed, "--json")

    (warning,) = answer.json["warnings"]
    assert warning.startswith(f"{supposed}:2: holds[0].tenants.keys[0]: there is no tenant “tenant-x” yet")
