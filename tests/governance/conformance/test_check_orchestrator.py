"""`manage.py check_orchestrator`: the sandbox keeps the contract; what doesn't is told by the right check."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance.conformance.promises import PROMISES
from sandbox.server import Sandbox
from sandbox.state import TenantState
from tests.factories import AT
from tests.governance.conformance import bent
from tests.sandbox import inside
from tests.sandbox.process import SECRET, TOKEN

STATE = TenantState("acme", "tenant-b", "host", "10.0.0", {"crm": "2.3.0"}, AT)
SUBJECT = ["--group", "acme", "--tenant", "tenant-b", "--plugin", "crm", "--installed", "2.3.0"]
CALLBACKS = {"called_back", "signed", "well_formed", "states_in_order", "tried_again"}


def check(url: str, *options: str, patience: str = "20", secret: str = SECRET) -> tuple[int, str]:
    """The exit code, and what was printed."""
    out = StringIO()
    words = [*SUBJECT, "--token", TOKEN, "--secret", secret, "--patience", patience, *options]
    try:
        call_command("check_orchestrator", url, *words, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def failing(path: Path, *, kind: type[Sandbox] = Sandbox, **settings: Any) -> dict[str, str]:
    """The checks that such a sandbox fails, and what was seen; the exit code says the same."""
    with inside.running(path, STATE, kind=kind, **settings) as sandbox:
        code, printed = check(inside.address(sandbox), "--json", patience="4")
    results = json.loads(printed)["results"]
    failed = {each["name"]: each["seen"] for each in results if not each["passed"]}
    assert code == (1 if failed else 0)
    assert all(each["advice"] for each in results if not each["passed"])
    return failed


def test_the_sandbox_keeps_every_promise_and_nothing_of_the_tenant_is_changed(tmp_path: Path) -> None:
    with inside.running(tmp_path, STATE, delay_seconds=0.1) as sandbox:
        code, printed = check(inside.address(sandbox), "--json")
        assert sandbox.fleet.find("acme", "tenant-b").plugins == {"crm": "2.3.0"}  # type: ignore[union-attr]
    document = json.loads(printed)
    assert [each["seen"] for each in document["results"] if not each["passed"]] == []
    assert (code, document["checks"], document["passed"], document["failed"]) == (
        0,
        len(PROMISES),
        len(PROMISES),
        0,
    )


@pytest.mark.parametrize(
    ("kind", "promises"),
    [
        (bent.IgnoresKeys, {"same_key", "same_key_at_once", "key_conflict"}),
        (bent.KeepsKeysButNotWhatWasAsked, {"key_conflict"}),
        (bent.PretendsToCancel, {"cancel", "cancel_ended"}),
        (bent.SignsWrongly, {"signed"}),
        (bent.HasAWrongClock, {"signed"}),
        (bent.NamesEachAttempt, {"tried_again"}),
        (bent.LeavesItsDoorOpen, {"token"}),
    ],
)
def test_who_breaks_a_promise_fails_its_checks_and_no_others(
    tmp_path: Path, kind: type[Sandbox], promises: set[str]
) -> None:
    assert set(failing(tmp_path, kind=kind)) == promises


def test_who_forgets_orders_fails_where_they_are_asked_about(tmp_path: Path) -> None:
    failed = failing(tmp_path, kind=bent.ForgetsOrders)
    assert "answered 404, not 200" in failed["status"]
    assert not failed.keys() & {"token", "malformed", "unknown_tenant", "accepts", "key_conflict"}


@pytest.mark.parametrize(
    ("settings", "promises"),
    [
        ({"callback": False}, CALLBACKS),
        ({"lost_callback_rate": 1}, CALLBACKS),
        ({"reordered_callback_rate": 1}, {"states_in_order"}),
        ({"failure_rate": 1}, {"status"}),
        ({"duplicated_callback_rate": 1}, set()),
    ],
)
def test_faults_are_told_by_the_checks_that_they_concern(
    tmp_path: Path, settings: dict[str, Any], promises: set[str]
) -> None:
    assert set(failing(tmp_path, **settings)) == promises


def test_a_clock_that_is_wrong_is_named(tmp_path: Path) -> None:
    assert "10 minutes behind this clock" in failing(tmp_path, kind=bent.HasAWrongClock)["signed"]


def test_what_is_no_orchestrator_fails_everything_with_the_reason() -> None:
    code, printed = check("http://127.0.0.1:9", "--json")
    document = json.loads(printed)
    assert (code, document["passed"]) == (1, 0)
    assert "has no answer" in document["results"][0]["seen"]


def test_while_the_secret_is_exchanged_either_is_taken(tmp_path: Path) -> None:
    with inside.running(tmp_path, STATE) as sandbox:
        assert check(inside.address(sandbox), "--json", secret=f"whsec_b3RoZXI= {SECRET}")[0] == 0


def test_people_read_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with inside.running(tmp_path, STATE, kind=bent.LeavesItsDoorOpen) as sandbox:
        assert check(inside.address(sandbox))[0] == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "FAIL A request without the right bearer token is answered 401, with the reason." in printed
    assert "Seen: GET /internal/version/upgrade/plan/" in printed
    assert "To do: Compare the header Authorization with the token" in printed
    assert f"{len(PROMISES) - 1} of {len(PROMISES)} checks passed." in printed


@pytest.mark.parametrize("listen", ["7000", "127.0.0.1:web", "192.0.2.1:0"])
def test_a_receiver_that_cannot_listen_is_wrong_usage(listen: str) -> None:
    assert check("http://127.0.0.1:9", "--json", "--listen", listen)[0] == 2


def test_each_promise_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({promise.name for promise in PROMISES}) == len(PROMISES)
    assert all(
        text.endswith((".", "?")) for promise in PROMISES for text in (promise.sentence, promise.advice)
    )
