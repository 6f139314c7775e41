"""The forms in which a manifest may come, and what is refused in each."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from governance import manifest_formats
from governance.manifest_formats import Beside, ManifestDocument, ManifestRefused, read, read_plugins_txt

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def own(**fields: Any) -> dict[str, Any]:
    return {"tenant": "tenant-a", "host_version": "5.0.0", "plugins": {"crm": "2.4.0"}, **fields}


def sbom(*components: Any, **fields: Any) -> dict[str, Any]:
    metadata = {
        "timestamp": "2026-03-02T12:00:00Z",
        "component": {"type": "application", "name": "host", "version": "5.0.0"},
        "properties": [{"name": "plumbline:tenant", "value": "tenant-a"}],
    }
    listed = list(components) or [{"type": "library", "name": "crm", "version": "2.4.0"}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": metadata,
        "components": listed,
        **fields,
    }


def test_plumblines_own_form_is_read_whole() -> None:
    document = read(own(observed_at="2026-03-02T13:00:00+01:00", complete=False))
    assert document == ManifestDocument(
        "tenant-a", "5.0.0", {"crm": "2.4.0"}, NOON, complete=False, source="endpoint"
    )


def test_plugins_may_be_listed() -> None:
    listed = [{"name": "crm", "version": "2.4.0"}, {"name": "mail", "version": "1.0.0"}]
    assert read(own(plugins=listed)).plugins == {"crm": "2.4.0", "mail": "1.0.0"}


def test_a_manifest_is_complete_unless_it_says_otherwise() -> None:
    assert read(own()).complete


def test_a_host_version_may_be_missing() -> None:
    document = own()
    del document["host_version"]
    assert read(document).host_version == ""
    assert read(own(host_version=None)).host_version == ""


def test_what_the_sender_says_beside_wins() -> None:
    document = read(own(), Beside(tenant="tenant-b", host_version="6.0.0", source="file"))
    assert (document.tenant, document.host_version, document.source) == ("tenant-b", "6.0.0", "file")


def test_an_sbom_names_host_time_and_tenant_in_its_metadata() -> None:
    document = read(sbom())
    assert (document.tenant, document.host_version, document.observed_at) == ("tenant-a", "5.0.0", NOON)
    assert document.plugins == {"crm": "2.4.0"}


def test_an_sbom_is_complete_only_if_a_composition_says_so() -> None:
    assert not read(sbom()).complete
    assert read(sbom(compositions=[{"aggregate": "complete"}])).complete
    assert not read(sbom(compositions=[{"aggregate": "complete"}, {"aggregate": "incomplete"}])).complete


def test_an_sbom_may_be_wrapped_with_its_tenant() -> None:
    bare = sbom()
    del bare["metadata"]
    document = read({"tenant": "tenant-b", "host_version": "5.1.0", "complete": True, "sbom": bare})
    assert (document.tenant, document.host_version, document.complete) == ("tenant-b", "5.1.0", True)
    assert document.observed_at is None


def test_plugins_txt_pins_a_version_a_line() -> None:
    text = "# jenkins\ngit:5.2.0  # pinned\n\nmail:1.0:https://example.org/mail.hpi\n"
    document = read_plugins_txt(text, Beside(tenant="tenant-a", host_version="2.440.1"))
    assert document.plugins == {"git": "5.2.0", "mail": "1.0"}
    assert document.host_version == "2.440.1"
    assert not document.complete


def test_comments_of_plugins_txt_may_say_what_it_has_no_place_for() -> None:
    text = "# tenant: tenant-a\n# host_version: 2.440.1\n# observed_at: 2026-03-02T12:00:00Z\ngit:5.2.0\n"
    document = read_plugins_txt(text, Beside())
    assert (document.tenant, document.host_version, document.observed_at) == ("tenant-a", "2.440.1", NOON)


def test_plugins_txt_may_be_wrapped_and_declared_complete() -> None:
    document = read(
        {"tenant": "a", "host_version": "2.440.1", "complete": True, "plugins_txt": "git:5.2.0"},
    )
    assert (document.plugins, document.complete) == ({"git": "5.2.0"}, True)


@pytest.mark.parametrize("body", [own(), [own()], {"manifests": [own()]}], ids=["one", "list", "wrapped"])
def test_a_body_may_hold_one_manifest_or_many(body: Any) -> None:
    assert manifest_formats.read_batch(body) == [read(own())]


def test_each_of_a_batch_is_judged_by_itself() -> None:
    good, bad = manifest_formats.read_batch([own(), own(plugins=None)])
    assert isinstance(good, ManifestDocument)
    assert isinstance(bad, ManifestRefused)
    assert (bad.tenant, bad.field) == ("tenant-a", "plugins")


REFUSED: list[tuple[Any, str, str]] = [
    ("text", "manifest", "must be an object"),
    (own(tenant=None), "tenant", "must be given"),
    (own(tenant=" tenant-a"), "tenant", "no space around"),
    (own(host_version=5), "host_version", "as a text"),
    (own(host="5.0.0"), "host", "is no field of a manifest"),
    ({"tenant": "tenant-a"}, "plugins", "must be given"),
    (own(sbom={}), "plugins", "must be given, or sbom or plugins_txt"),
    (own(plugins="crm"), "plugins", "an object of name and version"),
    (own(plugins={"crm": 2}), "plugins.crm", "as a text"),
    (own(plugins={"crm": ""}), "plugins.crm", "isn't empty"),
    (own(plugins={"crm": "2\u00004"}), "plugins.crm", "printable"),
    (own(plugins={"": "2.4.0"}), "plugins.", "isn't empty"),
    (own(plugins=["crm"]), "plugins[0]", "a name and a version"),
    (own(plugins=[{"name": "crm"}]), "plugins[0].version", "must be given"),
    (
        own(plugins=[{"name": "crm", "version": "1.0.0"}, {"name": "crm", "version": "2.0.0"}]),
        "plugins[1]",
        "is at 1.0.0 already",
    ),
    (own(observed_at="yesterday"), "observed_at", "ISO 8601"),
    (own(observed_at="2026-03-02T12:00:00"), "observed_at", "with its zone"),
    (own(observed_at=1772452800), "observed_at", "ISO 8601"),
    (own(complete="yes"), "complete", "true or false"),
    ({"tenant": "a", "sbom": {"name": "x"}}, "sbom", "CycloneDX"),
    ({"tenant": "a", "plugins_txt": ["git:1"]}, "plugins_txt", "must be a text"),
    ({"tenant": "a", "plugins_txt": "git:1"}, "host_version", "must be given"),
    ({"bomFormat": "SPDX"}, "bomFormat", "must be CycloneDX"),
    ({"bomFormat": "CycloneDX", "metadata": []}, "metadata", "must be an object"),
    ({"bomFormat": "CycloneDX"}, "tenant", "must be given"),
    (sbom({"name": "crm"}), "components[0].version", "must be given"),
    (sbom("crm"), "components[0]", "a name and a version"),
    (sbom(components={}), "components", "must be a list"),
]


@pytest.mark.parametrize(("document", "field", "reason"), REFUSED, ids=[field for _, field, _ in REFUSED])
def test_a_manifest_is_refused_with_the_field_and_the_reason(document: Any, field: str, reason: str) -> None:
    with pytest.raises(ManifestRefused, match=re.escape(reason)) as refused:
        read(document)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "entry", ["git", "git:", "git:latest", "git:incrementals;org.jenkins;5.2", "git:experimental"]
)
def test_a_line_of_plugins_txt_without_a_version_is_refused(entry: str) -> None:
    with pytest.raises(ManifestRefused, match="must name the version") as refused:
        read_plugins_txt(f"mail:1.0\n{entry}\n", Beside(tenant="a", host_version="2.440.1"))
    assert (refused.value.field, refused.value.tenant) == ("line 2", "a")


def test_a_plugin_twice_in_plugins_txt_is_refused_unless_it_says_the_same() -> None:
    beside = Beside(tenant="a", host_version="2.440.1")
    assert read_plugins_txt("git:1\ngit:1", beside).plugins == {"git": "1"}
    with pytest.raises(ManifestRefused, match="at 1 already"):
        read_plugins_txt("git:1\ngit:2", beside)


def test_files_are_read_by_their_form(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(own()))
    (tmp_path / "many.json").write_text(json.dumps([own(), own(tenant="tenant-b")]))
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "plugins.txt").write_text("# tenant: c\n# host_version: 2.440.1\ngit:1")
    (tmp_path / "notes.md").write_text("nothing of ours")
    read_ones = [
        judged
        for path in manifest_formats.files_in(tmp_path)
        for judged in manifest_formats.read_file(path, Beside(source="file"))
    ]
    assert [one.tenant for one in read_ones] == ["c", "tenant-a", "tenant-b", "tenant-a"]
    assert {one.source for one in read_ones if isinstance(one, ManifestDocument)} == {"file"}


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"7"], ids=["no JSON", "no text", "no object"])
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    (refused,) = manifest_formats.read_file(path, Beside())
    assert isinstance(refused, ManifestRefused)
    assert refused.field in {"file", "manifest"}
