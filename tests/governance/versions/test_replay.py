"""Replaying case files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from governance.replaying import BadFile
from governance.versions import replay, scheme
from governance.versions.pypi import Pypi


def _cases(scheme: str, *cases: dict[str, Any]) -> dict[str, Any]:
    return {"scheme": scheme, "cases": list(cases)}


def test_an_answer_that_differs_is_shown_with_its_case() -> None:
    outcome = replay.replay(_cases("semver2", {"kind": "valid", "version": "1.0.0", "expect": False}))
    assert (outcome.cases, outcome.agree) == (1, 0)
    assert outcome.disagree == [
        {"scheme": "semver2", "kind": "valid", "version": "1.0.0", "expect": False, "answer": True}
    ]


@pytest.mark.parametrize(
    ("scheme", "case"),
    [
        ("semver2", {"kind": "compare", "a": "1.0.0", "b": "2.0.0", "expect": -1}),
        ("semver2", {"kind": "equal", "a": "1.0.0+a", "b": "1.0.0", "expect": True}),
        ("maven", {"kind": "cmp_op", "op": ">=", "a": "1.0", "b": "1", "expect": True}),
        ("maven", {"kind": "sort", "versions": ["2", "1"], "expect": ["1", "2"]}),
        ("maven", {"kind": "sort", "versions": ["1", "1"], "expect": ["1", "1"]}),
        ("jenkins", {"kind": "satisfies", "range": ">=1.0", "version": "1.0", "expect": True}),
        ("npm-semver", {"kind": "satisfies", "range": "*", "version": "not a version", "expect": False}),
        ("npm-semver", {"kind": "satisfies", "range": "*", "version": False, "expect": False}),
        (
            "npm-semver",
            {
                "kind": "valid",
                "version": "1.2.3-rc.0+b",
                "parsed": {"major": 1, "minor": 2, "patch": 3, "prerelease": ["rc", 0], "build": ["b"]},
                "expect": True,
            },
        ),
        ("npm-semver", {"kind": "satisfies", "range": "no range", "version": "1.2.3", "expect": False}),
        ("composer", {"kind": "cmp_op", "op": "<>", "a": "1.25.0", "b": "1.24.0", "expect": True}),
        ("composer", {"kind": "satisfies", "range": "dev-x", "version": "dev-x", "expect": True}),
        ("composer", {"kind": "satisfies", "range": "^1", "version": "1.0-meh", "expect": False}),
        ("composer", {"kind": "range_valid", "range": "", "expect": False}),
        ("masterminds(helm)", {"kind": "range_valid", "range": "==1.0", "expect": False}),
        ("npm-semver", {"kind": "range_valid", "range": ">=1, <2", "expect": False}),
        ("semver2", {"kind": "range_valid", "range": "!=1.0.0", "expect": False}),
        ("pep440", {"kind": "range_valid", "range": "2.0", "expect": False}),
        ("pep440", {"kind": "satisfies", "range": "===odd", "version": "odd", "expect": True}),
        ("composer", {"kind": "normalize", "version": "1.0", "expect": "1.0.0.0"}),
        ("composer", {"kind": "cmp_op", "op": "==", "a": "dev-x", "b": "dev-x", "expect": True}),
        ("vers", {"kind": "satisfies", "range": "vers:pypi/>=1.0", "version": "1.0", "expect": True}),
        ("vers", {"kind": "parse", "input": "vers:npm/|1.0.0", "expect": None}),
        ("vers", {"kind": "parse", "input": "vers:datetime/2024-01-01T00%3a00", "expect": None}),  # any type
        (
            "vers",
            {
                "kind": "parse",
                "input": "vers:npm/>=1.0.0",
                "expect": {"type": "npm", "constraints": [[">=", "1.0.0"]]},
            },
        ),
        ("vers", {"kind": "validate", "input": "vers:npm/2.0.0|1.0.0", "expect": "vers:npm/1.0.0|2.0.0"}),
        (
            "vers",
            {
                "kind": "satisfies",
                "range": "vers:npm/>1.0.0|<1.0.0",
                "version": "1.0.0",
                "expect": None,
                "expect_failure": True,
            },
        ),
    ],
)
def test_the_kinds_that_matter_are_answered(scheme: str, case: dict[str, Any]) -> None:
    outcome = replay.replay(_cases(scheme, case))
    assert outcome.agree == 1, outcome.disagree


@pytest.mark.parametrize(
    ("scheme", "case", "answer"),
    [
        (
            "maven",
            {"kind": "sort", "versions": ["1", "1.0"], "expect": ["1", "1.0"], "strict": True},
            ["1.0", "1"],
        ),
        ("maven", {"kind": "sort", "versions": ["1", "1.0"], "expect": ["1", "1.0"]}, ["1.0", "1"]),
        ("maven", {"kind": "sort", "versions": ["1.0", "1"], "expect": ["1", "1.0"]}, ["1.0", "1"]),
        ("maven", {"kind": "sort", "versions": ["1", "2"], "expect": ["1", "2", "3"]}, ["1", "2"]),
        (
            "vers",
            {"kind": "validate", "input": "vers:npm/1.0.0", "expect": "vers:npm/2.0.0"},
            "vers:npm/1.0.0",
        ),
        ("vers", {"kind": "parse", "input": "vers:npm/2.0.0|1.0.0", "expect": {"type": "npm"}}, None),
        ("vers", {"kind": "validate", "input": "vers:npm/one", "expect": "vers:npm/one"}, None),
        ("vers", {"kind": "validate", "input": "vers:npm/1.0.0", "expect": None}, "vers:npm/1.0.0"),
    ],
)
def test_a_wrong_expectation_is_not_agreed_to(scheme: str, case: dict[str, Any], answer: Any) -> None:
    outcome = replay.replay(_cases(scheme, case))
    assert [disagreement["answer"] for disagreement in outcome.disagree] == [answer]


def test_a_version_that_upstream_takes_apart_differently_is_no_agreement() -> None:
    parsed = {"major": 1, "minor": 2, "patch": 3, "prerelease": ["rc"]}
    case = {"kind": "valid", "version": "1.2.3-rc.0", "parsed": parsed, "expect": True}
    assert replay.replay(_cases("npm-semver", case)).agree == 0


@pytest.mark.parametrize(
    "case", [{"kind": "compare", "a": "1", "expect": 0}, {"kind": "equal", "a": 1, "b": 1, "expect": True}]
)
def test_a_case_that_does_not_say_what_it_asks_is_shown_and_stops_nothing(case: dict[str, Any]) -> None:
    outcome = replay.replay(_cases("maven", case, {"kind": "equal", "a": "1", "b": "1.0", "expect": True}))
    assert outcome.agree == 1
    assert outcome.disagree[0]["answer"].startswith("refused: unreadable case:")


def test_a_range_that_can_not_be_read_is_no_agreement_where_upstream_throws() -> None:
    for version in ("1.0.0", "not a version"):
        case = {"kind": "satisfies", "range": "one", "version": version, "expect": False}
        outcome = replay.replay(_cases("masterminds(helm)", case))
        assert outcome.disagree[0]["answer"].startswith("refused:")


@pytest.mark.parametrize(
    ("scheme", "case", "reason"),
    [
        ("cargo", {"kind": "valid", "version": "1.0.0", "expect": True}, "“cargo” is not offered"),
        ("npm-semver", {"kind": "increment", "version": "1.0.0", "expect": "2.0.0"}, "no product feature"),
        (
            "npm + SimpleSpec",
            {"kind": "satisfies", "dialect": "simple", "range": "*", "version": "1", "expect": True},
            "simple",
        ),
        ("vers", {"kind": "sort", "scheme": "apk", "versions": ["1"], "expect": ["1"]}, "apk"),
        ("vers", {"kind": "parse", "input": "vers:datetime/x", "expect": None}, "datetime"),
        ("maven", {"kind": "normalize", "version": "1", "expect": "1"}, "normal form"),
        (
            "vers",
            {"kind": "sort", "scheme": "maven", "versions": ["2-1", "2.0.a"], "expect": ["2-1", "2.0.a"]},
            "Maven’s own ComparableVersionTest now lists 2.0.a",
        ),
        (
            "vers",
            {
                "kind": "sort",
                "scheme": "maven",
                "versions": ["2.0.a", "2.0.0.a"],
                "expect": ["2.0.a", "2.0.0.a"],
            },
            "takes 2.0.a and 2.0.0.a for one version",
        ),
    ],
)
def test_what_is_not_offered_counts_as_not_applicable(scheme: str, case: dict[str, Any], reason: str) -> None:
    outcome = replay.replay(_cases(scheme, case))
    assert (outcome.cases, outcome.agree, outcome.disagree) == (1, 0, [])
    [(found, count)] = outcome.not_applicable.items()
    assert reason in found
    assert count == 1


@pytest.mark.parametrize(
    ("asked", "through_the_dialect"),
    [
        ({"version": "1.0"}, True),
        ({"version": "1.0", "options": {}}, True),
        ({"version": "1.0", "options": {"prereleases": None}}, True),
        ({"version": "1.0", "options": {"prereleases": False}}, False),
        ({"version": "odd"}, False),
    ],
)
def test_python_ranges_are_asked_of_the_dialect_that_policies_use(
    asked: dict[str, Any], through_the_dialect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[str] = []

    def watched(text: str) -> Any:
        ranges.append(text)
        return Pypi().range(text)

    monkeypatch.setattr(scheme("pypi"), "range", watched)
    expect = asked["version"] == "1.0"
    outcome = replay.replay(
        _cases("pep440", {"kind": "satisfies", "range": ">=1.0", **asked, "expect": expect})
    )
    assert outcome.agree == 1
    assert bool(ranges) is through_the_dialect


def test_an_order_table_is_one_case_a_plugin() -> None:
    document = {
        "comparator": "hudson.util.VersionNumber (somewhere)",
        "order": {
            "right": [["1.0"], ["2.0", "2.0.0"]],
            "wrong": [["2.0"], ["1.0"]],
            "split": [["1.0"], ["1"]],
        },
    }
    outcome = replay.replay(document)
    assert (outcome.cases, outcome.agree) == (3, 1)
    assert {d["plugin"]: d["answer"] for d in outcome.disagree} == {
        "wrong": [["1.0"], ["2.0"]],
        "split": [["1.0", "1"]],
    }


def test_the_order_table_of_an_unknown_comparator_is_not_applicable() -> None:
    outcome = replay.replay({"comparator": "rpmvercmp", "order": {"a": [["1"]]}})
    assert outcome.not_applicable == {"the dialect “rpmvercmp” is not offered": 1}


@pytest.mark.parametrize("compress", [True, False])
def test_a_file_may_be_compressed(tmp_path: Path, compress: bool) -> None:
    content = json.dumps(_cases("semver2")).encode()
    path = tmp_path / ("cases.json.gz" if compress else "cases.json")
    path.write_bytes(gzip.compress(content) if compress else content)
    assert replay.replay(replay.read(path)).cases == 0


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"{"])
def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=r"other\.json"):
        replay.read(path)
