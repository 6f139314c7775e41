"""Policies in the console: read in words, written with their impact shown first, taken out of action."""

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import drift, policies, profiles
from governance.models import Finding, Policy, Simulation
from tenants.models import Group, Role, User
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/policies/"
Status = Policy.Status

TEXT = """\
name: core
title: The core in line
profile: align
tenants: "*"
rules:
  - name: crm
    plugins: [crm]
    at_least: {version}
"""


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def governed(world: World) -> World:
    """Both tenants run an old crm, and the policy `core` in force at version 1 wants a newer one."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0", "2.5.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    align = {"name": "align", "title": "In line", "mode": "enforce", "deny": ["vulnerable"], "weight": 200}
    profiles.save(world.group, align, actor=SYSTEM, at=AT)
    policies.apply(world.group, document("2.4.0"), actor=SYSTEM, at=AT, comment="first")
    return world


def document(version: str, **changes: Any) -> dict[str, Any]:
    rule = {"name": "crm", "plugins": ["crm"], "at_least": version}
    return {
        "name": "core",
        "title": "The core in line",
        "kind": "policy",
        "profile": "align",
        "tenants": "*",
        "rules": [rule],
        **changes,
    }


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
        "variants": [{"name": "late", "tenants": {"keys": ["tenant-b"]}, "at_least": "2.3.0"}],
    }
    policy = factories.policy(
        governed.group, "same", [rule], tenants={"tiers": ["standard"], "labels": {"r": "x"}}
    )
    policy = factories.policy(governed.group, "same", [rule], tenants={"tiers": ["standard"]})
    drift.detect(governed.group, at=AT)
    page = text(owner, f"{LIST}{policy.pk}/")
    assert "tier standard" in page
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


def test_the_text_is_written_with_its_impact_shown_first(
    governed: World, core: Policy, owner: Client
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    assert "at_least: 2.4.0" in text(owner, path)
    shown = owner.post(path, {"text": TEXT.format(version="2.2.0"), "intent": "preview"})
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "What it would do" in page
    assert "(+0 −2)" in page
    core.refresh_from_db()
    assert (core.versions.count(), Finding.objects.open().count()) == (1, 2)
    preview = Simulation.objects.get()
    assert f'name="previewed" value="{preview.pk}"' in page
    applied = owner.post(
        path,
        {
            "text": TEXT.format(version="2.2.0"),
            "comment": "too strict",
            "intent": "apply",
            "previewed": preview.pk,
        },
    )
    assert applied.headers["Location"] == f"{LIST}{core.pk}/"
    core.refresh_from_db()
    assert core.current is not None
    assert (core.current.number, core.current.comment, core.current.author_name) == (2, "too strict", "owner")
    assert not Finding.objects.open().exists()


@pytest.mark.parametrize("previewed", ["", "nonsense", "another"])
def test_nothing_is_put_in_force_that_was_not_previewed(
    governed: World, core: Policy, owner: Client, previewed: str
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    if previewed == "another":
        owner.post(path, {"text": TEXT.format(version="2.3.0"), "intent": "preview"})
        previewed = str(Simulation.objects.get().pk)
    answer = owner.post(
        path, {"text": TEXT.format(version="2.2.0"), "intent": "apply", "previewed": previewed}
    )
    page = answer.content.decode()
    assert "The text isn’t the one that was previewed" in page
    assert "What it would do" in page
    core.refresh_from_db()
    assert core.versions.count() == 1


def test_a_draft_is_kept_and_put_in_force_later(governed: World, core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}"
    owner.post(f"{path}/edit/", {"text": TEXT.format(version="2.2.0"), "intent": "draft"})
    core.refresh_from_db()
    assert core.current is not None
    assert (core.versions.count(), core.current.number) == (2, 1)
    assert "at_least: 2.2.0" in text(owner, f"{path}/edit/")
    assert "Put in force" in text(owner, f"{path}/versions/")
    assert owner.post(f"{path}/versions/2/apply/").status_code == 303
    assert owner.post(f"{path}/versions/9/apply/").status_code == 404
    core.refresh_from_db()
    assert core.current.number == 2
    assert not Finding.objects.open().exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("rules: [", "isn't YAML"),
        ("- just\n- a list\n", "is a mapping"),
        (TEXT.format(version="2.4.0").replace("profile: align", "profile: none-such"), "none-such"),
        (TEXT.format(version="2.4.0").replace("at_least", "at_lest"), "at_lest"),
        (TEXT.format(version="2.4.0").replace("name: core", "name: other"), "stays core"),
    ],
)
def test_what_is_wrong_is_told_by_line(core: Policy, owner: Client, wrong: str, told: str) -> None:
    answer = owner.post(f"{LIST}{core.pk}/edit/", {"text": wrong, "intent": "preview"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was saved" in page
    assert told in page.replace("&#x27;", "'")
    assert not Simulation.objects.exists()


def test_the_line_of_a_problem_is_shown_with_it(core: Policy, owner: Client) -> None:
    wrong = TEXT.format(version="2.4.0").replace("profile: align", "profile: none-such")
    page = owner.post(f"{LIST}{core.pk}/edit/", {"text": wrong}).content.decode()
    assert "<strong>Line 3</strong> <code>profile: none-such</code>" in page


def test_a_new_policy_is_previewed_and_put_in_force(governed: World, owner: Client) -> None:
    path = f"{LIST}create/"
    assert "profile: align" in text(owner, path)
    new = {
        "kind": "baseline",
        "text": "name: base\nprofile: align\ntenants: '*'\nversions: {crm: '>=2.5.0'}\n",
    }
    preview = owner.post(path, {**new, "intent": "preview"})
    assert preview.status_code == 200, preview.content.decode()
    assert "(+2 −0)" in preview.content.decode()
    assert not Policy.objects.filter(name="base").exists()
    seen = Simulation.objects.get()
    owner.post(path, {**new, "intent": "apply", "previewed": seen.pk})
    base = Policy.objects.get(name="base")
    assert (base.status, base.kind) == (Status.ACTIVE, "baseline")
    taken = owner.post(path, {"kind": "policy", "text": TEXT.format(version="2.4.0")})
    assert "there is a policy core already" in taken.content.decode()


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


def test_what_is_switched_off_is_refused_with_the_reason(
    governed: World, core: Policy, owner: Client
) -> None:
    Group.objects.filter(pk=governed.group.pk).update(governance_enabled=False)
    shown = owner.post(f"{LIST}{core.pk}/edit/", {"text": TEXT.format(version="2.2.0")})
    assert "plugin-version-governance is off" in shown.content.decode()
    assert "What it would do" not in shown.content.decode()


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
