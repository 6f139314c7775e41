"""What owners do about people, over REST and from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM, Permission
from governance.models import Configuration
from tenants import deputies
from tenants.models import Deputy, DirectoryPerson, Group, Membership, Origin, PolicyOwner, Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service, service  # noqa: F401 - a fixture
from tests.governance.commanding import shell

WEEK = {"starts_on": "2026-03-02", "ends_on": "2026-03-09"}
FOR_TENANT = {"person": "viewer", "tenant": "tenant-b"}
FOR_POLICY = {"person": "viewer", "policy": "core"}


@pytest.fixture
def caller(service: Issue) -> Service:  # noqa: F811 - the fixture
    return service(Permission.GROUP_ADMINISTER)


@pytest.fixture
def directory(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return shell(capsys, monkeypatch, "directory")


def disabled(world: World) -> None:
    DirectoryPerson.objects.create(group=world.group, user=world.viewer, origin=Origin.LDAP, disabled=True)


def elsewhere_too(user: User) -> None:
    Membership.objects.create(group=Group.objects.get(slug="elsewhere"), user=user, role=Role.EDITOR)


def core(world: World) -> None:
    """A policy in force."""
    factories.plugin(world.group, "crm", ["1.0.0"])
    factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "1.0.0"}])


def last() -> tuple[str, str]:
    entry = Entry.objects.order_by("-pk")[0]
    return entry.action, entry.actor_name


def test_a_deputy_is_named_listed_and_dismissed_over_rest_and_both_are_told_each_time(
    world: World, caller: Service
) -> None:
    body = {"person": "tenant-admin", "deputy": "viewer", **WEEK}
    named = caller.post("directory/deputy", body, key="k").json()
    assert caller.post("directory/deputy", body, key="k").json() == named
    [row] = Deputy.objects.all()
    assert (named["number"], row.appointed_by_name) == (row.pk, "test")
    listed = {one["person"]: one for one in caller.get("directory/people").json()["people"]}
    assert set(listed) == {"owner", "viewer", "tenant-admin"}
    assert listed["tenant-admin"]["deputies"] == [named]
    assert listed["tenant-admin"]["roles"] == [
        {"role": "tenant_admin", "tenant": "tenant-a", "origin": "hand"}
    ]
    Deputy.objects.update(ends_on="2999-01-01")
    path = f"directory/deputy/{row.pk}/end"
    assert [caller.post(path).status_code for _ in range(2)] == [200, 404]
    assert last() == ("deputy.ended", "test")
    assert OutboxMessage.objects.filter(idempotency_key__startswith="deputy-").count() == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("deputy", {"person": "nobody", "deputy": "viewer", **WEEK}, 404, "nothing of that name"),
        ("deputy", {"person": "owner", "deputy": "outsider", **WEEK}, 400, "deputy: Nobody called"),
        (
            "deputy",
            {"person": "owner", "deputy": "viewer", "starts_on": "x"},
            400,
            "starts_on",
        ),
        ("address", {"person": "viewer", "email": "nonsense"}, 400, "email"),
        ("address", {"person": "outsider", "email": ""}, 404, "nothing of that name"),
        ("enable", {"person": "outsider"}, 404, "nothing of that name"),
        ("responsible", {"person": "viewer"}, 400, "either a tenant or a policy"),
        ("responsible", {**FOR_TENANT, **FOR_POLICY}, 400, "either a tenant or a policy"),
        ("responsible", {"person": "unheard-of", "tenant": "tenant-a"}, 400, "Nobody who may sign in"),
        ("responsible", {"person": "viewer", "tenant": "tenant-z"}, 404, "nothing of that name"),
        ("responsible", {"person": "viewer", "policy": "unwritten"}, 404, "nothing of that name"),
        ("responsible", {"person": "tenant-admin", "policy": "core"}, 422, "no role that reaches all"),
        ("responsible/end", FOR_TENANT, 404, "nothing of that name"),
        ("responsible/end", FOR_POLICY, 404, "nothing of that name"),
    ],
)
def test_what_cannot_be_done_over_rest_is_told_with_its_reason_and_changes_nothing(
    world: World, caller: Service, path: str, body: dict[str, str], status: int, said: str
) -> None:
    core(world)
    entries = Entry.objects.count()
    answer = caller.post(f"directory/{path}", body)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.json()
    assert Entry.objects.count() == entries


def test_another_groups_people_and_deputies_are_not_there(world: World, service: Issue) -> None:  # noqa: F811
    days = {"starts_on": AT.date(), "ends_on": AT.date()}
    deputies.appoint(world.group, world.owner, "viewer", **days, actor=SYSTEM, at=AT)
    elsewhere = service(Permission.GROUP_ADMINISTER, group=factories.group("other"))
    assert elsewhere.get("directory/people").json() == {"people": []}
    assert elsewhere.post(f"directory/deputy/{Deputy.objects.get().pk}/end").status_code == 404
    assert elsewhere.post("directory/enable", {"person": "viewer"}).status_code == 404
    assert Deputy.objects.exists()


def test_a_service_mends_the_address_of_no_account_that_is_not_its_groups_alone(
    world: World, caller: Service
) -> None:
    body = {"person": "viewer", "email": "new@example.org"}
    assert caller.post("directory/address", body).json()["email"] == "new@example.org"
    assert last() == ("person.changed", "test")
    # Whoever has the token's number is somebody else, whatever they own.
    token = world.group.tokens.get()
    namesake, _ = User.objects.get_or_create(pk=token.pk, defaults={"username": "namesake"})
    Membership.objects.create(group=Group.objects.get(slug="elsewhere"), user=namesake, role=Role.OWNER)
    elsewhere_too(world.viewer)
    answer = caller.post("directory/address", {**body, "email": "mine@example.org"})
    assert (answer.status_code, "isn’t this group’s alone" in answer.json()["detail"]) == (409, True)
    assert User.objects.get(username="viewer").email == "new@example.org"


def test_any_number_of_people_costs_the_same(
    world: World, caller: Service, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12) as few:
        assert caller.get("directory/people").status_code == 200
    for number in range(5):
        factories.member(world.group, f"person-{number}", Role.EDITOR)
        days = {"starts_on": AT.date(), "ends_on": AT.date()}
        deputies.appoint(world.group, world.owner, f"person-{number}", **days, actor=SYSTEM, at=AT)
    with django_assert_max_num_queries(len(few)):
        assert len(caller.get("directory/people").json()["people"]) == 8


def test_whom_ldap_left_disabled_is_enabled_over_rest_once_it_is_read_no_more(
    world: World, caller: Service
) -> None:
    disabled(world)
    configured = Configuration.objects.create(
        group=world.group, directory={"ldap": {}}, applied_at=AT, applied_by_name="owner"
    )
    assert caller.post("directory/enable", {"person": "viewer"}).status_code == 409
    configured.delete()
    assert caller.post("directory/enable", {"person": "viewer"}).json()["disabled"] is False


@pytest.mark.parametrize("body", [FOR_TENANT, FOR_POLICY])
def test_somebody_is_made_responsible_and_it_is_ended_over_rest(
    world: World, caller: Service, body: dict[str, str]
) -> None:
    core(world)
    assert [caller.post("directory/responsible", body).status_code for _ in range(2)] == [200, 200]
    admin = Membership.objects.filter(user=world.viewer, role=Role.TENANT_ADMIN, tenant=world.tenant_b)
    owner = PolicyOwner.objects.filter(user=world.viewer, policy="core")
    assert (admin.exists(), owner.exists()) == ("tenant" in body, "policy" in body)
    assert [caller.post("directory/responsible/end", body).status_code for _ in range(2)] == [200, 404]
    assert not admin.exists()
    assert not owner.exists()


def test_what_the_file_gave_is_ended_neither_over_rest_nor_from_the_command_line(
    world: World, caller: Service, directory: Any
) -> None:
    PolicyOwner.objects.create(group=world.group, user=world.viewer, policy="core", origin=Origin.FILE)
    assert caller.post("directory/responsible/end", FOR_POLICY).status_code == 404
    assert directory("unname", "viewer", "--policy", "core").code == 2
    assert PolicyOwner.objects.exists()


def test_the_steps_from_the_command_line(world: World, directory: Any) -> None:
    core(world)
    days = ("--from", "2026-03-02", "--until", "2026-03-09")
    named = directory("deputy", "tenant-admin", "viewer", *days, "--json")
    assert (named.code, named.json["deputy"]) == (0, "viewer")
    assert directory("deputy", "tenant-admin", "viewer", *days).code == 5
    listed = " ".join(directory("people").out.split())
    assert f"{named.json['number']} viewer tenant-admin 2026-03-02 2026-03-09" in listed
    assert [directory("dismiss", named.json["number"]).code for _ in range(2)] == [0, 2]
    assert OutboxMessage.objects.filter(idempotency_key__startswith="deputy-").count() == 2
    elsewhere_too(world.viewer)
    assert directory("address", "viewer", "new@example.org", "--json").json["email"] == "new@example.org"
    disabled(world)
    assert "reaches the group again" in directory("enable", "viewer").out
    for answers in (("--tenant", "tenant-b"), ("--policy", "core")):
        assert directory("name", "viewer", *answers).code == 0
        assert directory("unname", "viewer", *answers).code == 0
    assert last()[0] == "policy_owner.ended"


@pytest.mark.parametrize(
    "words",
    [
        ("deputy", "nobody", "viewer", "--from", "2026-03-02", "--until", "2026-03-09"),
        ("deputy", "owner", "viewer", "--from", "today", "--until", "2026-03-09"),
        ("dismiss", "0"),
        ("address", "viewer", "nonsense"),
        ("address", "outsider", "new@example.org"),
        ("enable", "outsider"),
        ("name", "viewer"),
        ("name", "viewer", "--tenant", "tenant-b", "--policy", "core"),
        ("name", "unheard-of", "--tenant", "tenant-b"),
        ("name", "viewer", "--tenant", "tenant-z"),
        ("name", "viewer", "--policy", "unwritten"),
        ("unname", "viewer", "--tenant", "tenant-b"),
    ],
)
def test_wrong_words_are_wrong_usage_and_change_nothing(
    world: World, directory: Any, words: tuple[str, ...]
) -> None:
    entries = Entry.objects.count()
    assert directory(*words).code == 2
    assert Entry.objects.count() == entries
