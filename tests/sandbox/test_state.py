"""The fleet's state, on the file and through `/manifests`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.state import FleetState
from tests.sandbox.conftest import GROUP, OBSERVED, tenant_state
from tests.sandbox.process import RunningSandbox, order


def test_a_group_is_known_once_it_has_a_tenant(tmp_path: Path) -> None:
    with FleetState(tmp_path / "new.sqlite3") as fleet:
        assert not fleet.has_group(GROUP)
        fleet.put(GROUP, "tenant-a", "powerx", "5.1.0", {}, OBSERVED)
        assert fleet.has_group(GROUP)
        assert not fleet.has_group("other")


def test_the_cursor_passes_over_each_change_once(tmp_path: Path) -> None:
    with FleetState(tmp_path / "new.sqlite3") as fleet:
        fleet.put_many(tenant_state(name) for name in ("a", "b", "c"))
        first = fleet.manifests(GROUP, limit=2)
        rest = fleet.manifests(GROUP, first.cursor, limit=2)
        assert [state.tenant for state in first.manifests + rest.manifests] == ["a", "b", "c"]
        nothing = fleet.manifests(GROUP, rest.cursor)
        assert (nothing.cursor, nothing.manifests) == (rest.cursor, ())


def test_a_tenant_that_changed_comes_again_and_last(tmp_path: Path) -> None:
    with FleetState(tmp_path / "new.sqlite3") as fleet:
        fleet.put_many(tenant_state(name) for name in ("a", "b"))
        cursor = fleet.manifests(GROUP).cursor
        fleet.put(GROUP, "a", "powerx", "5.2.0", {}, OBSERVED + timedelta(hours=1))
        assert [state.tenant for state in fleet.manifests(GROUP, cursor).manifests] == ["a"]
        assert [state.tenant for state in fleet.manifests(GROUP).manifests] == ["b", "a"]


def test_putting_the_same_again_is_no_change(tmp_path: Path) -> None:
    with FleetState(tmp_path / "new.sqlite3") as fleet:
        fleet.put_many([tenant_state("a")])
        cursor = fleet.manifests(GROUP).cursor
        fleet.put_many([tenant_state("a")])
        assert fleet.manifests(GROUP, cursor).manifests == ()


def test_put_many_is_all_or_nothing(tmp_path: Path) -> None:
    with FleetState(tmp_path / "new.sqlite3") as fleet:
        with pytest.raises(ZeroDivisionError):
            fleet.put_many(tenant_state(str(1 // number)) for number in (1, 0))
        assert not fleet.has_group(GROUP)


def test_the_server_shows_what_was_put_beside_it(sandbox: RunningSandbox, state_path: Path) -> None:
    before = sandbox.manifests(GROUP)["cursor"]
    with FleetState(state_path) as fleet:
        fleet.put("second", "tenant-x", "powerx", "5.1.0", {"mail": "1.0"}, OBSERVED)
    assert sandbox.manifests(GROUP, before) == {"cursor": before, "manifests": []}
    page = sandbox.manifests("second")
    assert page["manifests"] == [
        {
            "tenant": "tenant-x",
            "host_version": "5.1.0",
            "plugins": {"mail": "1.0"},
            "observed_at": OBSERVED.isoformat(),
            "complete": True,
        }
    ]


def test_pages_together_are_the_whole_group(pristine: RunningSandbox) -> None:
    seen: list[str] = []
    cursor = 0
    while (page := pristine.manifests(GROUP, cursor, limit=3))["manifests"]:
        cursor = page["cursor"]
        seen += [manifest["tenant"] for manifest in page["manifests"]]
    assert seen == [f"tenant-{letter}" for letter in "abcdefgh"]


def test_only_the_ordered_tenant_shows_after_the_cursor(sandbox: RunningSandbox) -> None:
    before = sandbox.manifests(GROUP)["cursor"]
    sandbox.finished(sandbox.ordered(order("tenant-c")))
    assert [manifest["tenant"] for manifest in sandbox.manifests(GROUP, before)["manifests"]] == ["tenant-c"]


def test_a_group_without_tenants_has_an_empty_list(pristine: RunningSandbox) -> None:
    assert pristine.manifests("nobody") == {"cursor": 0, "manifests": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "group"), ("group=", "group"), ("group=g&since=x", "since"), ("group=g&since=-1", "since"),
     ("group=g&since=²", "since"), ("group=g&limit=0", "limit"), ("group=g&limit=99999999999", "limit")],
)  # fmt: skip
def test_a_bad_query_is_refused_with_its_field(pristine: RunningSandbox, query: str, field: str) -> None:
    refused = pristine.client.get(f"/manifests?{query}")
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == [field]
