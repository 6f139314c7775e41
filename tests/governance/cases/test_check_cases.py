"""manage.py check_cases and check_fleet."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from demo.sources import FACTS
from governance.cases import planning
from governance.resolution import Outcome

FILES = Path(__file__).parent / "files"
JENKINS = FACTS / "catalogue-jenkins.json.gz"
CATALOGUE = [
    {"plugin": "crm", "scheme": "jenkins", "releases": [{"version": "1.0"}, {"version": "2.0"}]},
    {
        "plugin": "shop",
        "scheme": "jenkins",
        "releases": [{"version": "1", "host_min": "2.1", "requires": [{"plugin": "crm", "range": ">=1.5"}]}],
    },
]


def case(pins: dict[str, str], *, ok: bool = True, core: str = "2.1", **more: Any) -> dict[str, Any]:
    expect = {"ok": ok, "uninstallable": [], "facts": [], **more}
    return {"id": "one", "core": core, "pins": pins, "expect": expect}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a catalogue in it."""
    (tmp_path / "catalogue-jenkins.json").write_text(json.dumps(CATALOGUE))
    return tmp_path


def write(folder: Path, *cases: dict[str, Any]) -> str:
    path = folder / "cases.json"
    path.write_text(json.dumps({"cases": cases}))
    return str(path)


def asked(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("check_cases", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize(
    ("name", "count", "catalogue"),
    [("cases-pinned.json.gz", 81, ["--catalogue", str(JENKINS)]), ("cases-ckan.json.gz", 170, [])],
)
def test_the_product_judges_as_independent_solvers_do(name: str, count: int, catalogue: list[str]) -> None:
    found = asked(str(FILES / name), *catalogue)[name]
    assert found["disagree"] == []
    assert found["cases"] == found["agree"] == count
    assert found["not_applicable"] == 0
    assert found["agree_on"] == {"verdict": count, "unusable": count, "facts": count}


@pytest.mark.parametrize(
    ("name", "counts", "catalogue"),
    [
        ("cases-plan.json.gz", {"verdict": 51, "cost": 27, "conflicts": 24}, ["--catalogue", str(JENKINS)]),
        ("cases-smallworlds.json.gz", {"verdict": 561, "cost": 275, "conflicts": 286}, []),
    ],
)
def test_the_product_plans_as_independent_solvers_do(
    name: str, counts: dict[str, int], catalogue: list[str]
) -> None:
    found = asked(str(FILES / name), *catalogue)[name]
    assert found["disagree"] == []
    assert found["agree_on"] == counts


def test_a_wrong_answer_about_a_plan_is_seen(tmp_path: Path) -> None:
    worlds = json.loads(gzip.decompress((FILES / "cases-smallworlds.json.gz").read_bytes()))["cases"]
    possible = next(one for one in worlds if one["expect"]["satisfiable"])
    refused = next(one for one in worlds if one["expect"]["minimal_conflicts"])
    possible["expect"]["min_changes"] += 1
    refused["expect"]["minimal_conflicts"].append([7])
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_cases", write(tmp_path, possible, refused), "--json", stdout=out)
    found = json.loads(out.getvalue())["cases.json"]
    assert found["agree"] == 0
    assert found["agree_on"] == {"verdict": 2, "cost": 0, "conflicts": 0}


def test_what_evaluation_would_decide_is_what_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = json.loads(gzip.decompress((FILES / "cases-smallworlds.json.gz").read_bytes()))["cases"]
    costly = [one for one in worlds if one["expect"].get("min_changes")]
    apart = [one for one in costly if all(policy["type"] != "same" for policy in one["policies"])]
    monkeypatch.setattr(planning, "decide", lambda *_: Outcome())
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_cases", write(tmp_path, *apart), "--json", stdout=out)
    found = json.loads(out.getvalue())["cases.json"]
    assert len(found["disagree"]) == len(apart) > 100
    assert found["agree_on"] == {"verdict": len(apart), "cost": 0}


def test_what_is_unsound_to_begin_with_is_to_be_mended(tmp_path: Path) -> None:
    needy = {"host_min": 1, "host_max": 1, "requires": [{"plugin": "B", "lo": 1, "hi": 1}]}
    world = {
        "plugins": ["A", "B"],
        "versions": 1,
        "hosts": 1,
        "releases": {"A@1": needy, "B@1": {**needy, "requires": []}},
        "tenants": [{"host": 1, "installed": {"A": 1}}],
        "policies": [],
        "expect": {"satisfiable": True, "min_changes": 1},
    }
    assert asked(write(tmp_path, world))["cases.json"]["agree"] == 1


def test_an_unknown_policy_is_refused_by_name(tmp_path: Path) -> None:
    world = {"plugins": [], "versions": 0, "hosts": 1, "releases": {}, "tenants": []}
    unknown = {**world, "policies": [{"type": "wish"}], "expect": {"satisfiable": True, "min_changes": 0}}
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_cases", write(tmp_path, unknown), "--json", stdout=out)
    answer = json.loads(out.getvalue())["cases.json"]["disagree"][0]["answer"]
    assert answer == "refused: there is no policy “wish”"


def test_a_disagreement_is_printed_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder, case({"crm": "1.0"}), case({"crm": "1.0", "shop": "1"}))
    with pytest.raises(SystemExit) as end:
        call_command("check_cases", path)
    assert end.value.code == 1
    shown = "".join(capsys.readouterr().out.split())
    assert '["shop","1","too-old","crm","1.5","1.0"]' in shown
    assert "agreeonverdict1,unusable1,facts1" in shown


def test_every_kind_of_fact_is_told_in_upstreams_words(folder: Path) -> None:
    facts = [
        ["shop", "1", "core", "2.1", "2.0"],
        ["shop", "1", "missing", "crm", "1.5"],
    ]
    path = write(folder, case({"shop": "1"}, ok=False, core="2.0", uninstallable=["shop"], facts=facts))
    assert asked(path)["cases.json"]["agree"] == 1


def test_what_the_catalogue_lacks_asks_nothing_and_counts_by_its_version(folder: Path) -> None:
    unknown = {"crm": "1.7-patched", "shop": "1", "in-house": "build 7"}
    assert asked(write(folder, case(unknown)))["cases.json"]["agree"] == 1


def test_a_version_that_cant_be_ordered_is_refused_and_spoils_only_its_own_case(tmp_path: Path) -> None:
    strict = [
        {"plugin": "a", "scheme": "jenkins", "releases": []},
        {"plugin": "b", "scheme": "semver", "releases": []},
    ]
    (tmp_path / "catalogue-jenkins.json").write_text(json.dumps(strict))
    path = write(tmp_path, case({"a": "1"}), case({"b": "not a version"}))
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_cases", path, "--json", stdout=out)
    assert end.value.code == 1
    found = json.loads(out.getvalue())["cases.json"]
    assert found["agree"] == 1
    assert found["disagree"][0]["answer"] == "refused: there is no b not a version"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cases.json"),
        ('{"order": {}}', "holds no cases"),
        ('{"cases": [{"expect": 1}]}', "of none of the kinds"),
        (
            '{"cases": [{"expect": {}, "core": "1", "pins": {}}]}',
            "no catalogue-jenkins.json.gz lies beside it",
        ),
    ],
)
def test_a_file_that_can_not_be_replayed_fails_differently(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content)
    err = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_cases", str(path), stderr=err)
    assert end.value.code == 2
    assert reason in err.getvalue()


def test_a_catalogue_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    wrong = [{"plugin": "crm", "scheme": "jenkins", "releases": [{"version": ""}]}]
    (tmp_path / "catalogue-jenkins.json").write_text(json.dumps(wrong))
    err = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_cases", write(tmp_path, case({"crm": "1"})), stderr=err)
    assert end.value.code == 2
    assert "crm.releases[0].version" in err.getvalue()


def test_a_file_without_cases_has_none_to_disagree_on(tmp_path: Path) -> None:
    assert asked(write(tmp_path))["cases.json"]["cases"] == 0


def test_a_given_catalogue_goes_before_the_one_beside(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "mine.json.gz"
    other.parent.mkdir()
    other.write_bytes(gzip.compress(json.dumps(CATALOGUE[:1]).encode()))
    path = write(folder, case({"shop": "1"}))
    assert asked(path, "--catalogue", str(other))["cases.json"]["agree"] == 1


class TestFleet:
    """manage.py check_fleet"""

    def snapshots(self, folder: Path, *snapshots: dict[str, Any]) -> str:
        path = folder / "fleet.json"
        path.write_text(json.dumps({"tenants": [{"tenant": "a", "snapshots": snapshots}]}))
        return str(path)

    def test_each_snapshot_is_judged_and_what_cant_have_run_is_told(self, folder: Path) -> None:
        out = StringIO()
        path = self.snapshots(
            folder,
            {
                "at": "2021-01-01",
                "core": "2.1",
                "requested": ["shop"],
                "resolved": {"shop": "1", "crm": "2.0"},
            },
            {
                "at": "2021-01-02",
                "core": "2.1",
                "requested": ["shop"],
                "resolved": {"shop": "1", "crm": "1.0"},
            },
            {"at": "2021-01-03", "removed": True},
        )
        call_command("check_fleet", path, "--json", stdout=out)
        found = json.loads(out.getvalue())
        assert (found["snapshots"], found["judged"], found["consistent"]) == (3, 2, 1)
        assert found["inconsistent"] == [
            {
                "tenant": "a",
                "at": "2021-01-02",
                "plugins": [
                    {
                        "plugin": "shop",
                        "version": "1",
                        "can_run": False,
                        "reasons": ["needs crm >=1.5, and crm is at 1.0"],
                    }
                ],
            }
        ]

    def test_people_read_the_same(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call_command(
            "check_fleet", self.snapshots(folder, {"at": "2021", "core": "2.0", "resolved": {"shop": "1"}})
        )
        shown = " ".join(capsys.readouterr().out.split())
        assert (
            "shop 1 needs jenkins >=2.1, and jenkins is at 2.0; needs crm >=1.5, which isn't installed"
            in shown
        )

    def test_a_file_that_is_no_fleet_is_refused(self, tmp_path: Path) -> None:
        err = StringIO()
        with pytest.raises(SystemExit) as end:
            call_command("check_fleet", write(tmp_path), stderr=err)
        assert end.value.code == 2
        assert "holds no tenants" in err.getvalue()
