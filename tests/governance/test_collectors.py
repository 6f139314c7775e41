"""Manifests fetched from the sandbox orchestrator, from another server, and from a folder."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stamina
from pytest_django import Settings

from config.access import SYSTEM
from governance import collectors, manifests
from governance.collectors import Collected
from governance.models import Installation, Manifest, ManifestSource
from sandbox.state import FleetState, TenantState
from tests.factories import AT, World
from tests.sandbox.process import TOKEN, RunningSandbox

Answers = list[tuple[int, Any]]


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A running sandbox that has nothing yet; its state file."""
    running = RunningSandbox(tmp_path / "sandbox.sqlite3")
    running.start()
    settings.ORCHESTRATOR_URL = str(running.client.base_url)
    settings.ORCHESTRATOR_TOKEN = TOKEN
    yield tmp_path / "sandbox.sqlite3"
    running.stop()


@pytest.fixture
def server() -> Iterator[tuple[str, Answers, list[dict[str, str]]]]:
    """A server that gives these answers in turn, the last for ever, and keeps what it was asked."""
    answers: Answers = []
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, "authorization": self.headers.get("Authorization", "")})
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    with stamina.set_testing(True, attempts=1):
        yield f"http://127.0.0.1:{http.server_port}", answers, asked
    http.shutdown()
    http.server_close()


def source(world: World, kind: ManifestSource.Kind, address: str = "") -> ManifestSource:
    return ManifestSource.objects.create(group=world.group, kind=kind, address=address)


def collect(world: World) -> Collected:
    return collectors.collect(world.group, actor=SYSTEM, at=AT)


def told(tenant: str, version: str) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "host_version": "5.0.0",
        "plugins": {"crm": version},
        "observed_at": AT.isoformat(),
    }


def installed(world: World) -> dict[tuple[str, str], str]:
    rows = Installation.objects.current().filter(group=world.group)
    listed = rows.values_list("tenant__key", "plugin__name", "release__version")
    return {(tenant, plugin): version for tenant, plugin, version in listed}


def put(state: Path, tenant: str, version: str) -> None:
    with FleetState(state) as fleet:
        fleet.put_many([TenantState("acme", tenant, "host", "5.0.0", {"crm": version}, AT)])


def test_the_sandbox_is_asked_for_what_changed_since_the_last_time(world: World, sandbox: Path) -> None:
    source(world, ManifestSource.Kind.SANDBOX)
    put(sandbox, "tenant-a", "2.3.0")
    put(sandbox, "tenant-b", "2.4.0")
    first = collect(world)
    assert first.figures() == {
        "manifests": 2,
        "refused": 0,
        "changed": 2,
        "opened": 4,
        "closed": 0,
        "failed_sources": 0,
    }
    assert installed(world)["tenant-b", "crm"] == "2.4.0"
    assert collect(world).figures()["manifests"] == 0
    put(sandbox, "tenant-a", "2.5.0")
    assert collect(world).accepted_tenant_ids == {world.tenant_a.pk}


@pytest.mark.parametrize(("more", "path"), [("", "/manifests"), ("/v1/", "/v1/manifests")])
def test_page_after_page_is_read(
    world: World, server: tuple[str, Answers, list[dict[str, str]]], more: str, path: str
) -> None:
    address, answers, asked = server
    answers += [
        (200, {"cursor": 3, "manifests": [told("tenant-a", "2.3.0")]}),
        (200, {"cursor": 8, "manifests": [told("tenant-b", "2.4.0")]}),
        (200, {"cursor": 8, "manifests": []}),
    ]
    of = source(world, ManifestSource.Kind.HTTP, address + more)
    assert collect(world).figures()["manifests"] == 2
    of.refresh_from_db()
    assert (of.cursor, of.last_error, of.last_collected_at) == (8, "", AT)
    paths = [request["path"] for request in asked]
    assert paths == [f"{path}?group=acme&since={cursor}" for cursor in (0, 3, 8)]
    assert Manifest.objects.filter(source="collector").count() == 2


def test_other_servers_get_a_token_of_their_own(
    world: World, server: tuple[str, Answers, list[dict[str, str]]], settings: Settings
) -> None:
    settings.MANIFESTS_TOKEN, settings.ORCHESTRATOR_TOKEN = "theirs", "not-theirs"
    address, answers, asked = server
    answers.append((200, {"cursor": 0, "manifests": []}))
    source(world, ManifestSource.Kind.HTTP, address)
    collect(world)
    assert asked[0]["authorization"] == "Bearer theirs"


def test_what_a_source_tells_wrongly_is_refused_and_the_rest_is_taken(
    world: World, server: tuple[str, Answers, list[dict[str, str]]]
) -> None:
    address, answers, _ = server
    bad = told("tenant-b", "newest")
    answers += [
        (200, {"cursor": 1, "manifests": [bad, told("tenant-a", "2.3.0")]}),
        (200, {"cursor": 1, "manifests": []}),
    ]
    source(world, ManifestSource.Kind.HTTP, address)
    collected = collect(world)
    assert [(one["tenant"], one["field"]) for one in collected.refused] == [("tenant-b", "plugins.crm")]
    assert collected.accepted_tenant_ids == collected.changed_tenant_ids == {world.tenant_a.pk}


FAILURES: list[tuple[int, Any, str]] = [
    (500, {}, "500"),
    (200, b"<html>", "didn't answer in JSON"),
    (200, [], "must have a cursor"),
    (200, {"manifests": []}, "must have a cursor"),
    (200, {"cursor": 0, "manifests": [told("tenant-a", "2.3.0")]}, "doesn't move on"),
]


@pytest.mark.parametrize(("status", "body", "error"), FAILURES)
def test_a_source_that_fails_says_so_and_holds_no_other_up(
    world: World,
    server: tuple[str, Answers, list[dict[str, str]]],
    tmp_path: Path,
    status: int,
    body: Any,
    error: str,
) -> None:
    address, answers, _ = server
    answers.append((status, body))
    broken = source(world, ManifestSource.Kind.HTTP, address)
    source(world, ManifestSource.Kind.FOLDER, str(tmp_path))
    (tmp_path / "b.json").write_text(json.dumps(told("tenant-b", "2.4.0")))
    collected = collect(world)
    assert collected.figures()["failed_sources"] == 1
    assert error in collected.errors[str(broken)]
    broken.refresh_from_db()
    assert error in broken.last_error
    assert broken.cursor == 0
    assert set(installed(world)) == {("tenant-b", "crm"), ("tenant-b", "host")}


def test_a_source_that_works_again_forgets_its_error(
    world: World, server: tuple[str, Answers, list[dict[str, str]]]
) -> None:
    address, answers, _ = server
    answers += [(500, {}), (200, {"cursor": 0, "manifests": []})]
    of = source(world, ManifestSource.Kind.HTTP, address)
    collect(world)
    collect(world)
    of.refresh_from_db()
    assert of.last_error == ""


def test_without_an_orchestrator_the_sandbox_source_fails_with_words(
    world: World, settings: Settings
) -> None:
    settings.ORCHESTRATOR_URL = ""
    of = source(world, ManifestSource.Kind.SANDBOX)
    assert "No orchestrator is configured" in collect(world).errors[str(of)]


def test_a_page_that_could_not_be_stored_is_asked_for_again(
    world: World,
    server: tuple[str, Answers, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, answers, asked = server
    answers += [(200, {"cursor": 5, "manifests": [told("tenant-a", "2.3.0")]})]
    source(world, ManifestSource.Kind.HTTP, address)

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "ingest", cut_off)
        with pytest.raises(KeyboardInterrupt):
            collect(world)
    answers.append((200, {"cursor": 5, "manifests": []}))
    assert collect(world).figures()["manifests"] == 1
    assert [request["path"][-1] for request in asked] == ["0", "0", "5"]


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Callable[[str, Any, int], None]:
    """Put a file into a collected folder, changed at that second."""
    source(world, ManifestSource.Kind.FOLDER, str(tmp_path))

    def put_file(name: str, content: Any, second: int) -> None:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        os.utime(path, (second, second))

    return put_file


def test_a_folder_is_read_as_far_as_it_changed(world: World, folder: Callable[[str, Any, int], None]) -> None:
    folder("a.json", told("tenant-a", "2.3.0"), 100)
    folder("b.txt", "# tenant: tenant-b\n# host_version: 5.0.0\ncrm:2.4.0\n", 200)
    assert collect(world).figures()["changed"] == 2
    again = collect(world).figures()
    assert (again["manifests"], again["changed"]) == (1, 0)  # one of the newest moment is read again
    folder("c.json", told("tenant-a", "2.5.0") | {"observed_at": None}, 300)
    assert collect(world).changed_tenant_ids <= {world.tenant_a.pk}


def test_a_folder_that_is_not_there_fails_with_words(world: World) -> None:
    of = source(world, ManifestSource.Kind.FOLDER, "/nowhere/at/all")
    assert "is not a folder" in collect(world).errors[str(of)]


def test_a_group_without_sources_collects_nothing(world: World) -> None:
    assert collect(world).figures()["manifests"] == 0
