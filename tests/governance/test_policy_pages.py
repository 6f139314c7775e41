"""Policies in the console: read in words, compared, and taken out of action."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import drift, policies
from governance.models import Finding, Policy
from tenants.models import Group, Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.governed import document, govern
from tests.ground import Kind

LIST = "/g/acme/policies/"
Status = Policy.Status


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


SCENE = Kind(govern)


@pytest.fixture
def governed(standing_scene: World) -> World:
    return standing_scene


@pytest.fixture
def core(governed: World) -> Policy:
    return Policy.objects.get(name="core")


@pytest.fixture
def owner(governed: World, client: Client) -> Client:
    client.force_login(governed.owner)
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def names(page: str) -> list[str]:
    return re.findall(rf'href="{LIST}\d+/">([^<]+)</a>', page)


def test_the_list_tells_what_each_policy_selects_and_finds(owner: Client) -> None:
    page = text(owner, LIST)
    assert names(page) == ["core"]
    assert "The core in line" in page
    assert "align" in page
    assert '<td class="num">2</td>' in page
    assert '<a href="/g/acme/drift/?policy=core">2</a>' in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["core", "only-b"]),
        ("status=all", ["core", "gone", "only-b"]),
        ("status=retired", ["gone"]),
        ("kind=hold", ["only-b"]),
        ("profile=align", ["core"]),
        ("mode=enforce", ["core"]),
        ("sort=tenants", ["only-b", "core"]),
        ("sort=-drift&q=line", ["core"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(
    governed: World, owner: Client, query: str, shown: list[str]
) -> None:
    factories.policy(
        governed.group, "only-b", [], tenants={"keys": ["tenant-b"]}, kind="hold", plugins=["crm"]
    )
    Policy.objects.create(group=governed.group, name="gone", status=Status.RETIRED)
    assert names(text(owner, f"{LIST}?{query}")) == shown


def test_the_list_costs_the_same_however_long_it_is(
    governed: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    part = {"HX-Request": "true", "HX-Target": "policies"}
    with django_assert_max_num_queries(50) as few:
        assert owner.get(LIST, headers=part).content.startswith(b'<div id="policies"')
    for number in range(8):
        factories.policy(governed.group, f"p{number}", [{"name": "r", "plugins": ["crm"], "deny": "<1.0.0"}])
    with django_assert_max_num_queries(len(few)):
        owner.get(LIST, headers=part)


def test_the_page_says_the_rules_in_words_with_their_drift(core: Policy, owner: Client) -> None:
    page = text(owner, f"{LIST}{core.pk}/")
    assert "crm must be 2.4.0 or newer" in page
    assert "every plugin must have no security warning" in page
    assert "by the profile" in page
    assert "all tenants" in page
    assert "at_least: 2.4.0" in page


def test_variants_and_chosen_versions_are_told(governed: World, owner: Client) -> None:
    rule = {
        "name": "one",
        "plugins": ["crm"],
        "same": True,
        "tenants": {"keys": ["tenant-a", "tenant-b"]},
        "variants": [{"name": "late", "tenants": {"keys": ["tenant-b"]}, "at_least": "2.3.0"}],
    }
    policy = factories.policy(
        governed.group, "same", [rule], tenants={"tiers": ["standard"], "labels": {"r": "x"}}
    )
    policy = factories.policy(governed.group, "same", [rule], tenants={"tiers": ["standard"]})
    drift.detect(governed.group, at=AT)
    page = text(owner, f"{LIST}{policy.pk}/")
    assert "tier standard" in page
    assert "only for tenant-a or tenant-b" in page
    assert "for tenant-b: crm must be 2.3.0 or newer" in page
    assert "chosen:" in page


def test_the_tenants_that_it_selects_are_listed_with_their_drift(
    governed: World, core: Policy, owner: Client
) -> None:
    factories.install(governed.tenant_a, {"crm": "2.5.0"})
    drift.detect(governed.group, at=AT)
    path = f"{LIST}{core.pk}/tenants/"
    assert re.findall(r">(tenant-\w)</a>", text(owner, path)) == ["tenant-b", "tenant-a"]
    assert re.findall(r">(tenant-\w)</a>", text(owner, f"{path}?drift=none")) == ["tenant-a"]
    part = owner.get(path, headers={"HX-Request": "true", "HX-Target": "tenants"}).content.decode()
    assert part.startswith('<div id="tenants"')


def test_versions_are_listed_and_told_apart(governed: World, core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}/versions/"
    assert "Where two versions differ" not in text(owner, path)
    policies.apply(governed.group, document("2.5.0"), actor=SYSTEM, at=AT, comment="second")
    page = text(owner, path)
    assert "rules[crm].at_least" in page
    assert "<code>2.4.0</code>" in page
    assert "<code>2.5.0</code>" in page
    assert "second" in page
    assert "They say the same." in text(owner, f"{path}?older=2&newer=2")
    assert owner.get(f"{path}?older=x&newer=99").status_code == 200


def test_a_policy_is_paused_resumed_and_retired_with_a_reason(core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}/"
    for verb, status in (("pause", Status.PAUSED), ("resume", Status.ACTIVE), ("retire", Status.RETIRED)):
        assert owner.post(f"{path}{verb}/", {"reason": f"{verb} it"}).headers["Location"] == path
        core.refresh_from_db()
        assert core.status == status
    assert not Finding.objects.open().exists()
    entry = Entry.objects.get(action=Action.POLICY_PAUSED)
    assert entry.data == {"reason": "pause it"}
    assert owner.post(f"{path}pause/").status_code == 409
    assert "Put in force" in text(owner, f"{path}versions/")


def test_profiles_can_be_read(owner: Client) -> None:
    page = text(owner, f"{LIST}profiles/")
    assert "mode: enforce" in page
    assert "vulnerable" in page


def test_a_policy_within_its_grace_period_says_so(governed: World, owner: Client) -> None:
    late = document("2.4.0", name="late", effective_from="2026-03-01", grace_period="14d")
    version = policies.apply(governed.group, late, actor=SYSTEM, at=AT)
    page = text(owner, f"{LIST}{version.policy_id}/")
    assert "until" in page
    assert "2026-03-15" in page


@pytest.mark.parametrize("page", ["", "tenants/", "versions/"])
def test_the_pages_are_for_those_who_reach_the_whole_group(
    governed: World, core: Policy, client: Client, page: str
) -> None:
    def status(user: User) -> int:
        client.force_login(user)
        return client.get(f"{LIST}{core.pk}/{page}").status_code

    people = (governed.owner, governed.viewer, governed.tenant_admin, governed.outsider)
    assert [status(user) for user in people] == [200, 200, 404, 404]


@pytest.mark.parametrize("verb", ["edit", "pause", "resume", "retire", "versions/1/apply"])
def test_only_editors_change_policies(governed: World, core: Policy, client: Client, verb: str) -> None:
    operator = factories.member(governed.group, "operator", Role.OPERATOR)
    for user in (governed.viewer, operator, governed.tenant_admin, governed.outsider):
        client.force_login(user)
        assert client.post(f"{LIST}{core.pk}/{verb}/", {"text": "x"}).status_code == 404
    client.force_login(governed.viewer)
    page = text(client, f"{LIST}{core.pk}/")
    assert "Edit</a>" not in page
    assert "Retire</button>" not in page


def test_another_groups_policy_is_not_there(governed: World, owner: Client) -> None:
    elsewhere = Policy.objects.create(group=Group.objects.get(slug="elsewhere"), name="theirs")
    assert owner.get(f"{LIST}{elsewhere.pk}/").status_code == 404
    assert owner.post(f"{LIST}{elsewhere.pk}/pause/").status_code == 404


def test_a_draft_beside_what_is_in_force_is_named(governed: World, core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}/"
    versions = f'<a href="{path}versions/">Version 2</a>'
    assert versions not in text(owner, path)
    policies.save_draft(governed.group, document("2.5.0"), actor=SYSTEM, at=AT)
    assert versions in text(owner, path)


def test_one_whose_time_is_over_is_not_said_to_bind(governed: World, core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}/"
    for until, over in (("2026-05-01", False), ("2026-03-01", True)):
        policies.apply(governed.group, document("2.4.0", effective_until=until), actor=SYSTEM, at=AT)
        page = text(owner, path)
        assert ("its time is over: it binds nobody" in page, "Was in force until" in page) == (over, over)
