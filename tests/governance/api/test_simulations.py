"""What-if over REST: asked at once or in the background, looked at, downloaded, applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from config import queue
from config.access import SYSTEM, Permission
from governance.models import Plan, Policy, Simulation
from tenants import reach
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service
from tests.governance.governed import document, govern
from tests.ground import Kind

pytestmark = pytest.mark.django_db
PATH = "version/policy/simulate"
MILDER = {"policies": [document("2.2.0")]}
STRICTER = {"policies": [document("2.5.0")], "title": "Stricter"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


SCENE = Kind(govern)


@pytest.fixture
def governed(standing_scene: World) -> World:
    return standing_scene


@pytest.fixture
def caller(governed: World, service: Issue) -> Service:
    return service(Permission.POLICY_SIMULATE, Permission.POLICY_EDIT)


def ask_later(caller: Service, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}", "Prefer": "respond-async"}
    headers |= {"Idempotency-Key": key} if key else {}
    return Client().post(f"/internal/{PATH}", body, content_type="application/json", headers=headers)


def test_the_answer_tells_before_after_and_difference(caller: Service) -> None:
    answer = caller.post(PATH, MILDER)

    assert answer.status_code == 200, answer.json()
    told = answer.json()
    assert (told["before"]["drift"], told["after"]["drift"], told["difference"]["closed"]) == (2, 0, 2)
    assert told["status"] == "ready"
    assert caller.get(told["status_url"].removeprefix("/internal/")).json() == told


def test_in_the_background_it_is_answered_where_its_status_is(caller: Service) -> None:
    answer = ask_later(caller, STRICTER)

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    path = answer.json()["status_url"].removeprefix("/internal/")
    assert caller.get(path).status_code == 202
    queue.run_pending()
    told = caller.get(path)
    assert (told.status_code, told.json()["title"]) == (200, "Stricter")
    assert told.json()["actions"][0]["to"] == "2.5.0"


def test_without_a_title_it_is_called_by_what_it_supposes(caller: Service) -> None:
    assert caller.post(PATH, {"retired": ["core"]}).json()["title"] == "without policy core"
    assert ask_later(caller, MILDER).json()["title"] == "policy core"


def test_the_same_key_asks_once(caller: Service) -> None:
    first, second = ask_later(caller, MILDER, key="k"), ask_later(caller, MILDER, key="k")

    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Simulation.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "closed"),
    [
        ({"retired": ["core"]}, 2),
        ({"exemptions": [{"tenant": "tenant-a", "policy": "core", "reason": "r", "until": "in 2d"}]}, 1),
        ({"at": "2026-03-09T00:00:00Z"}, 0),
        ({"at": "2026-03-09"}, 0),
        ({"at": "in 30d"}, 0),
    ],
)
def test_ends_exemptions_and_dates_are_supposed(caller: Service, body: dict[str, Any], closed: int) -> None:
    answer = caller.post(PATH, body)

    assert answer.status_code == 200, answer.json()
    assert answer.json()["difference"]["closed"] == closed


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "Suppose something"),
        ({"title": "x"}, 400, "Suppose something"),
        ({"polices": []}, 400, "Unknown field"),
        ({"at": "soon"}, 422, "at:"),
        ({"at": ""}, 400, "at:"),
        ({"at": "2020-01-01T00:00:00Z"}, 422, "lies in the past"),
        ({"snapshot": 99}, 422, "there is no snapshot 99"),
        ({"releases": [{"plugin": "crm"}]}, 422, "releases[0]: “version” is missing"),
        ({"policies": [document("2.2.0", profile="none")]}, 422, "there is no profile"),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_names_its_place(
    caller: Service, body: dict[str, Any], status: int, told: str
) -> None:
    answer = caller.post(PATH, body)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]
    assert not Simulation.objects.exists()


def test_all_that_is_wrong_is_listed_with_its_places(caller: Service) -> None:
    answer = caller.post(PATH, {"at": "2020-01-01", "retired": ["cores"]}).json()

    assert answer["title"] == "What is supposed can't be used"
    past = "lies in the past; ask about a snapshot to look back"
    gone = "there is no policy in force “cores”; did you mean “core”?"
    assert answer["problems"] == [
        {"file": "request", "line": 0, "place": "retired[0]", "reason": gone},
        {"file": "request", "line": 0, "place": "at", "reason": past},
    ]


def test_the_description_of_the_endpoints_has_what_is_refused_and_how_a_time_is_told(client: Client) -> None:
    described = client.get("/internal/schema", headers={"Accept": "application/json"}).json()
    post = described["paths"][f"/internal/{PATH}"]["post"]
    body = described["components"]["schemas"]["SimulateBodyRequest"]["properties"]

    assert "application/problem+json" in post["responses"]["422"]["content"]
    assert "format" not in body["at"]


@pytest.mark.parametrize("kind", ["json", "findings", "actions", "markdown"])
def test_its_files_are_downloaded(caller: Service, kind: str) -> None:
    pk = caller.post(PATH, STRICTER).json()["id"]

    file = caller.get(f"{PATH}/{pk}/{kind}")

    assert (file.status_code, file["Content-Disposition"][:23]) == (200, 'attachment; filename="s')
    assert file.content


def test_there_is_no_file_of_another_kind_nor_before_the_answer(caller: Service) -> None:
    pk = caller.post(PATH, STRICTER).json()["id"]
    asked = ask_later(caller, MILDER).json()["id"]

    assert caller.get(f"{PATH}/{pk}/pdf").status_code == 404
    assert caller.get(f"{PATH}/{asked}/json").status_code == 404


def test_applied_it_is_in_force_and_answers_with_its_plan(caller: Service) -> None:
    pk = caller.post(PATH, STRICTER).json()["id"]

    answer = caller.post(f"{PATH}/{pk}/apply", {"comment": "Reviewed"}, key="k")

    assert answer.status_code == 200, answer.json()
    assert answer.json()["status"] == "applied"
    assert {task["tenant"] for task in answer.json()["plan"]["tasks"]} == {"tenant-a", "tenant-b"}
    policy = Policy.objects.get()
    assert policy.current is not None
    assert policy.current.comment == "Simulation 1 applied: Reviewed"
    assert caller.post(f"{PATH}/{pk}/apply", {"comment": "Reviewed"}, key="k").json() == answer.json()
    assert caller.post(f"{PATH}/{pk}/apply").status_code == 409


def test_applied_after_the_world_moved_it_is_a_conflict(governed: World, caller: Service) -> None:
    pk = caller.post(PATH, STRICTER).json()["id"]
    caller.post(f"{PATH}/{caller.post(PATH, MILDER).json()['id']}/apply")

    answer = caller.post(f"{PATH}/{pk}/apply")

    assert (answer.status_code, answer.json()["title"]) == (409, "The world moved")
    assert "the policies in force" in answer.json()["detail"]


def test_what_nobody_can_put_in_force_is_a_conflict(caller: Service) -> None:
    pk = caller.post(PATH, {**STRICTER, "at": "2026-03-09T00:00:00Z"}).json()["id"]

    answer = caller.post(f"{PATH}/{pk}/apply")

    assert (answer.status_code, answer.json()["title"]) == (409, "Not to be applied")
    assert not Plan.objects.exists()


def test_an_exemption_in_it_needs_the_scope_to_decide_about_it(governed: World, caller: Service) -> None:
    exemption = {"tenant": "tenant-a", "policy": "core", "reason": "r", "until": "in 2d"}
    pk = caller.post(PATH, {"exemptions": [exemption]}).json()["id"]

    assert caller.post(f"{PATH}/{pk}/apply").status_code == 403
    scopes = (Permission.POLICY_EDIT, Permission.EXEMPTION_DECIDE)
    secret = reach.issue_token(governed.group, name="decider", scopes=scopes, actor=SYSTEM, at=AT)
    assert Service(secret).post(f"{PATH}/{pk}/apply").status_code == 200


def test_another_group_does_not_find_it(governed: World, caller: Service, service: Issue) -> None:
    pk = caller.post(PATH, MILDER).json()["id"]
    elsewhere = governed.outsider.memberships.get().group
    stranger = service(Permission.POLICY_SIMULATE, Permission.POLICY_EDIT, group=elsewhere)

    assert stranger.get(f"{PATH}/{pk}").status_code == 404
    assert stranger.get(f"{PATH}/{pk}/json").status_code == 404
    assert stranger.post(f"{PATH}/{pk}/apply").status_code == 404


def test_a_tenant_that_may_still_come_is_warned_of(caller: Service) -> None:
    answer = caller.post(PATH, {"policies": [document("2.2.0", tenants={"keys": ["tenant-x"]})]})

    assert answer.status_code == 200, answer.json()
    (warning,) = answer.json()["warnings"]
    assert warning.startswith("core: tenants.keys[0]: there is no tenant “tenant-x” yet")


def test_an_exemption_that_has_ended_already_is_warned_of(caller: Service) -> None:
    over = {"tenant": "tenant-a", "policy": "core", "reason": "r", "until": "2020-01-01"}
    answer = caller.post(PATH, {"exemptions": [over]})

    assert answer.status_code == 200, answer.json()
    assert answer.json()["warnings"] == ["supposed-1: until: has passed already: it exempts nobody"]


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_text_that_cannot_be_kept_is_refused_once_and_with_its_place(
    caller: Service, character: str
) -> None:
    answer = caller.post(PATH, {"policies": [{**document("2.2.0"), "title": f"a{character}"}]})

    [problem] = answer.json()["problems"]
    assert (answer.status_code, problem["place"]) == (422, "policies[0].title")
    assert caller.post(PATH, {f"a{character}": 1}).json()["errors"][0]["reason"] == "Unknown field."
