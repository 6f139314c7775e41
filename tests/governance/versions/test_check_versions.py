"""manage.py check_versions."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.governance.versions.upstream import CASES


def test_json_is_one_object_by_file_name() -> None:
    out = StringIO()
    call_command(
        "check_versions",
        str(CASES / "maven.json.gz"),
        str(CASES / "semver-org.json.gz"),
        "--json",
        stdout=out,
    )
    found = json.loads(out.getvalue())
    assert list(found) == ["maven.json.gz", "semver-org.json.gz"]
    assert found["semver-org.json.gz"]["cases"] == found["semver-org.json.gz"]["agree"] == 24
    assert found["semver-org.json.gz"]["not_applicable"] == 0
    assert found["semver-org.json.gz"]["disagree"] == []


def test_a_disagreement_is_printed_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(
        json.dumps({"scheme": "semver2", "cases": [{"kind": "valid", "version": "1.0.0", "expect": False}]})
    )
    with pytest.raises(SystemExit) as end:
        call_command("check_versions", str(path))
    assert end.value.code == 1
    assert "wrong.json" in capsys.readouterr().out


def test_a_file_that_can_not_be_read_fails_differently(tmp_path: Path) -> None:
    err = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_versions", str(tmp_path / "none.json"), stderr=err)
    assert end.value.code == 2
    assert "none.json" in err.getvalue()


def test_what_is_not_applicable_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_versions", str(CASES / "jenkins-versionnumber.json.gz"))
    assert "5 not applicable" in capsys.readouterr().out
