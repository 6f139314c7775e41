"""LDAP looked into for groups whose file names it: by command, by the job, and what stays when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError

from config import queue
from config.access import SYSTEM
from governance import configuration
from governance.schedules import SCHEDULES
from tenants import enrolment
from tenants.models import DirectorySync, Group, Membership, Origin
from tests.factories import AT, World
from tests.tenants import slapd
from tests.tenants.slapd import SUFFIX, Slapd

TEXT = f"""\
version: 1
directory:
  acme:
    ldap:
      people: {{base: "{SUFFIX}", filter: (objectClass=inetOrgPerson), tenants: departmentNumber}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    """With two people, one of them responsible for tenant-a and for one that isn't there."""
    with slapd.running() as running, running.connect() as connection:
        connection.add(SUFFIX, ["dcObject", "organization"], {"o": "Example", "dc": "example"})
        facts = {"cn": "x", "sn": "x", "departmentNumber": ["tenant-a", "tenant-z"]}
        connection.add(f"uid=ann,{SUFFIX}", "inetOrgPerson", facts)
        connection.add(f"uid=ben,{SUFFIX}", "inetOrgPerson", {"cn": "y", "sn": "y"})
        yield running


@pytest.fixture
def asked(world: World, server: Slapd, settings: Any) -> World:
    settings.LDAP = server.server
    configuration.apply(configuration.load_text(TEXT, file="directory.yaml"), actor=SYSTEM, at=AT)
    return world


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    call_command("directory", *words, "--group", "acme", "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_command_shows_what_a_sync_would_do_and_then_does_it(
    asked: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="3"):
        ask(capsys, "preview")
    told = json.loads(capsys.readouterr().out)
    assert told["changes"] == ["new account ann", "gives ann: responsible for the tenant tenant-a"]
    assert told["unmatched"] == ["ann: responsible for the tenant tenant-z"]
    assert not Membership.objects.filter(origin=Origin.LDAP).exists()
    assert ask(capsys, "sync")["changed"]
    assert Membership.objects.get(origin=Origin.LDAP).user.username == "ann"
    assert not ask(capsys, "sync")["changed"]
    assert ask(capsys, "show")["tenants"] == {"tenant-a": ["ann", "tenant-admin"], "tenant-b": []}


def test_the_job_takes_it_over_and_keeps_what_ldap_names_in_vain(asked: World) -> None:
    (job,) = {schedule.job for schedule in SCHEDULES if schedule.name == "directory"}
    queue.run(job, {})
    sync = DirectorySync.objects.get(group=asked.group)
    assert (sync.problem, sync.unmatched) == ("", ["ann: responsible for the tenant tenant-z"])
    assert sync.succeeded_at == sync.tried_at


def test_while_ldap_is_down_everybody_stays_and_the_reason_is_kept(
    asked: World, server: Slapd, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, "sync")
    settings.LDAP = replace(server.server, port=1)
    queue.run("governance.jobs.sync_directories", {})
    sync = DirectorySync.objects.get(group=asked.group)
    assert "can’t be reached: is it running" in sync.problem
    assert sync.succeeded_at is not None
    assert sync.succeeded_at < sync.tried_at
    assert Membership.objects.filter(origin=Origin.LDAP).exists()
    with pytest.raises(CommandError, match="can’t be reached"):
        ask(capsys, "sync")


def test_without_a_server_or_a_mapping_the_command_says_which_is_missing(
    world: World, asked: World, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LDAP = None
    with pytest.raises(CommandError, match="set PLUMBLINE_LDAP_URL"):
        ask(capsys, "preview")
    call = ["directory", "preview", "--group", "elsewhere"]
    with pytest.raises(CommandError, match="see its part “ldap”"):
        call_command(*call)
    with pytest.raises(CommandError, match="There is no group nowhere"):
        call_command("directory", "show", "--group", "nowhere")


def test_what_nobody_thought_of_in_one_group_keeps_no_other_from_its_sync(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXT.replace("acme", "elsewhere")
    configuration.apply(configuration.load_text(text, file="directory.yaml"), actor=SYSTEM, at=AT)
    take = enrolment.take

    def fail(group: Group, *args: Any, **more: Any) -> Any:
        if group.slug == "acme":
            raise DataError("value too long")
        return take(group, *args, **more)

    monkeypatch.setattr(enrolment, "take", fail)
    queue.run("governance.jobs.sync_directories", {})
    told = {sync.group.slug: sync.problem for sync in DirectorySync.objects.select_related("group")}
    assert told == {
        "acme": "What LDAP answers can’t be taken over (DataError): see the log.",
        "elsewhere": "",
    }
