"""import_catalogue, import_manifests and snapshot, from the command line."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance.models import Installation, ManifestSource, Plugin, Release, Snapshot
from tests import factories
from tests.factories import World

CRM = {"plugin": "crm", "scheme": "semver", "releases": [{"version": "2.3.0"}, {"version": "2.4.0"}]}


def run(*arguments: Any) -> tuple[int, dict[str, Any]]:
    """The exit code of a command with --json, and its document."""
    answer = StringIO()
    code = 0
    try:
        call_command(*map(str, arguments), "--group", "acme", "--json", stdout=answer)
    except SystemExit as end:
        code = int(end.code or 0)
    document: dict[str, Any] = json.loads(answer.getvalue())
    return code, document


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def manifest(tenant: str, **plugins: str) -> dict[str, Any]:
    return {"tenant": tenant, "plugins": plugins}


def test_a_catalogue_is_imported_and_the_same_again_is_no_news(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "catalogue.json", [CRM])
    code, told = run("import_catalogue", path)
    assert (code, told["group"], told["releases"], told["new_releases"]) == (0, "acme", 2, 2)
    assert run("import_catalogue", path)[1]["changed"] == 0


def test_a_compressed_catalogue_is_imported(world: World, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json.gz"
    path.write_bytes(gzip.compress(json.dumps([CRM]).encode()))
    assert run("import_catalogue", path)[0] == 0
    assert Release.objects.filter(group=world.group).count() == 2


def test_a_catalogue_that_makes_no_sense_is_told_with_its_place(world: World, tmp_path: Path) -> None:
    code, told = run("import_catalogue", write(tmp_path / "catalogue.json", [{**CRM, "scheme": "roman"}]))
    assert (code, told["place"]) == (1, "crm.scheme")
    assert not Plugin.objects.filter(group=world.group).exists()


def test_a_file_that_is_no_json_is_told(world: World, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text("[")
    code, told = run("import_catalogue", path)
    assert code == 1
    assert "can’t be read" in told["error"]


def test_people_get_a_table(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_catalogue", str(write(tmp_path / "catalogue.json", [CRM])), "--group", "acme")
    assert "new releases" in capsys.readouterr().out


def test_manifests_are_imported_from_files_and_folders(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    folder.mkdir()
    write(folder / "a.json", manifest("tenant-a", crm="2.4.0"))
    one = write(tmp_path / "b.json", manifest("tenant-b", crm="2.3.0"))
    code, told = run("import_manifests", folder, one)
    assert (code, told["changed"], told["refused"]) == (0, 2, [])
    assert [(taken["index"], taken["tenant"]) for taken in told["accepted"]] == [
        (0, "tenant-a"),
        (1, "tenant-b"),
    ]
    assert Installation.objects.current().filter(tenant=world.tenant_a, release__version="2.4.0").exists()


def test_a_plugins_txt_is_imported_with_what_it_does_not_say(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plugins.txt"
    path.write_text("crm:2.4.0\n")
    code, _ = run("import_manifests", path, "--tenant", "tenant-a", "--host-version", "5.0.0")
    assert code == 0
    names = (
        Installation.objects.current().filter(tenant=world.tenant_a).values_list("plugin__name", flat=True)
    )
    assert set(names) == {"crm", "host"}


def test_what_is_refused_is_told_with_its_file_and_the_rest_is_taken(world: World, tmp_path: Path) -> None:
    good, bad = manifest("tenant-a", crm="2.4.0"), manifest("nobody", crm="2.4.0")
    path = write(tmp_path / "batch.json", [bad, good])
    code, told = run("import_manifests", path)
    assert code == 1
    (refused,) = told["refused"]
    assert (refused["file"], refused["tenant"], refused["field"]) == (str(path), "nobody", "tenant")
    assert [taken["tenant"] for taken in told["accepted"]] == ["tenant-a"]


def test_nothing_is_imported_while_governance_is_off(world: World, tmp_path: Path) -> None:
    world.group.governance_enabled = False
    world.group.save()
    code, told = run("import_manifests", write(tmp_path / "a.json", manifest("tenant-a", crm="2.4.0")))
    assert code == 5
    assert "plugin-version-governance is off" in told["error"]


def test_a_snapshot_is_sealed_after_asking_the_sources(world: World, tmp_path: Path) -> None:
    ManifestSource.objects.create(group=world.group, kind=ManifestSource.Kind.FOLDER, address=str(tmp_path))
    write(tmp_path / "a.json", manifest("tenant-a", crm="2.4.0"))
    code, told = run("snapshot")
    assert (code, told["number"], told["installations"], told["new"]) == (0, 1, 1, True)
    again = run("snapshot")[1]
    assert (again["number"], again["new"]) == (1, False)
    assert run("snapshot", "--force", "--no-collect")[1]["number"] == 2


def test_a_source_that_fails_is_told_and_the_snapshot_is_sealed(world: World) -> None:
    ManifestSource.objects.create(group=world.group, kind=ManifestSource.Kind.FOLDER, address="/nowhere")
    code, told = run("snapshot")
    assert code == 1
    assert "is not a folder" in told["errors"]["folder /nowhere"]
    assert Snapshot.objects.filter(group=world.group).count() == 1


def test_an_unknown_group_is_wrong_usage(world: World, tmp_path: Path) -> None:
    factories.group("other")
    with pytest.raises(Exception, match="There is no group nowhere"):
        call_command("snapshot", "--group", "nowhere")
