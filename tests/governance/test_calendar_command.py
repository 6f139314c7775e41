"""Windows and freezes from the command line and over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.access import SYSTEM, Permission
from governance import freezing, maintenance
from governance.models import MaintenanceWindow
from tests import factories
from tests.factories import AT, World
from tests.governance.api.conftest import service  # noqa: F401 - a fixture
from tests.governance.commanding import shell

WINDOW = {"tenant": "tenant-b", "days": [4], "starts": "22:00", "ends": "02:00", "zone": "Europe/Berlin"}
FREEZE = {"name": "books", "from": "2030-12-20", "until": "2031-01-02", "reason": "Books close."}


@pytest.fixture
def calendar(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return shell(capsys, monkeypatch, "calendar")


def test_a_window_is_agreed_shown_and_ended(calendar: Any) -> None:
    agreed = calendar(
        *("agree", "tenant-b", "--day", "fri", "--hours", "22:00-02:00", "--zone", "Europe/Berlin", "--json")
    )
    assert (agreed.code, agreed.json["days"]) == (0, [4])
    assert [one["tenant"] for one in calendar("show", "--json").json["windows"]] == ["tenant-b"]
    assert "tenant-b" in calendar("show").out
    assert calendar("end", agreed.json["number"]).code == 0
    assert not MaintenanceWindow.objects.exists()
    assert calendar("end", agreed.json["number"]).code == 2


@pytest.mark.parametrize(
    "given",
    [
        ("nobody", "--day", "fri", "--hours", "22:00-02:00"),
        ("tenant-b", "--day", "someday", "--hours", "22:00-02:00"),
        ("tenant-b", "--day", "fri", "--hours", "22:07-02:00"),
        ("tenant-b", "--day", "fri", "--hours", "22:00-02:00", "--zone", "Moon"),
    ],
)
def test_a_window_that_makes_no_sense_is_wrong_usage(calendar: Any, given: tuple[str, ...]) -> None:
    assert calendar("agree", *given).code == 2
    assert not MaintenanceWindow.objects.exists()


def test_a_group_is_frozen_and_thawed_and_other_freezes_stay(calendar: Any, world: World) -> None:
    times = ("--from", "2030-12-20", "--until", "2031-01-02", "--reason", "Books close.")
    assert calendar("freeze", "books", *times).code == 0
    assert calendar("freeze", "fair", *times).code == 0
    assert {one["name"] for one in calendar("show", "--json").json["freezes"]} == {"books", "fair"}
    assert maintenance.freeze_at(world.group, AT.replace(year=2030, month=12, day=24)) is not None
    assert (
        calendar("freeze", "fair", "--from", "2031-01-02", "--until", "2030-01-01", "--reason", "x").code == 1
    )
    assert calendar("thaw", "fair").code == 0
    assert [one["name"] for one in calendar("show", "--json").json["freezes"]] == ["books"]
    assert calendar("thaw", "fair").code == 2


def test_a_freeze_changes_the_calendar_as_it_is_once_nobody_else_can_change_it(world: World) -> None:
    with CaptureQueriesContext(connection) as asked:
        freezing.freeze(world.group, FREEZE, actor=SYSTEM, at=AT)
    statements = [one["sql"] for one in asked]
    holds = next(place for place, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql)
    reads = next(place for place, sql in enumerate(statements) if "governance_configuration" in sql)
    assert holds < reads
    with pytest.raises(freezing.NoSuchFreeze):
        freezing.thaw(world.group, "fair", actor=SYSTEM, at=AT)
    freezing.thaw(world.group, "books", actor=SYSTEM, at=AT)
    assert maintenance.freezes_of(world.group.pk) == []


def test_a_service_agrees_windows_and_sets_freezes(world: World, service: Any) -> None:  # noqa: F811
    caller = service(Permission.WINDOW_AGREE, Permission.TENANT_VIEW, Permission.POLICY_EDIT)
    agreed = caller.post("version/upgrade/window", WINDOW, key="a").json()
    assert caller.post("version/upgrade/window", WINDOW, key="a").json() == agreed
    assert caller.post("version/upgrade/freezes", {"freezes": [FREEZE]}).status_code == 200
    shown = caller.get("version/upgrade/calendar").json()
    assert ([one["number"] for one in shown["windows"]], len(shown["freezes"])) == ([agreed["number"]], 1)
    assert caller.post("version/upgrade/freezes", {"freezes": [{"name": "x"}]}).status_code == 422
    for wrong in ({"tenant": "nobody"}, {"zone": "Moon"}, {"starts": "22:07"}, {"days": [7]}):
        answer = caller.post("version/upgrade/window", {**WINDOW, **wrong})
        assert answer.status_code == (404 if "tenant" in wrong else 400)
    end = f"version/upgrade/window/{agreed['number']}/end"
    elsewhere = service(Permission.WINDOW_AGREE, group=factories.group("other"))
    assert elsewhere.post(end).status_code == 404
    assert service(Permission.TENANT_VIEW).post(end).status_code == 403
    assert service(Permission.WINDOW_AGREE).post(end).status_code == 200
    assert not MaintenanceWindow.objects.exists()
