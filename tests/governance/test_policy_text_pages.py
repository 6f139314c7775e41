"""Writing policies in the console, with what a text would do shown before it does it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from config import queue
from governance.models import Finding, Policy, Simulation
from tenants.models import Group, Role
from tests import factories
from tests.factories import AT, World
from tests.governance.governed import TEXT, govern
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


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def preview_of(client: Client, preview: Simulation) -> str:
    """The fragment that the editor's page asks for again and again."""
    headers = {"HX-Request": "true", "HX-Target": "preview"}
    part = client.get(f"/g/acme/simulations/{preview.pk}/", headers=headers).content.decode()
    assert part.startswith('<section id="preview"')
    return part


def test_a_text_that_is_not_in_force_is_said_to_be_a_draft_and_keeps_its_reason(
    core: Policy, owner: Client
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    assert "which isn’t in force" not in read(owner, path)
    draft = {"text": TEXT.format(version="2.2.0"), "comment": "Ends a conflict.", "intent": "draft"}
    owner.post(path, draft)
    page = read(owner, path)
    assert f'href="{LIST}{core.pk}/versions/">version 2</a>, by owner, which isn’t in force' in page
    assert 'value="Ends a conflict."' in page


def test_the_text_is_written_with_its_impact_shown_first(
    governed: World, core: Policy, owner: Client
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    assert "at_least: 2.4.0" in read(owner, path)
    why = "too strict, " + 40 * "really "
    shown = owner.post(path, {"text": TEXT.format(version="2.2.0"), "comment": why, "intent": "preview"})
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "What it would do" in page
    preview = Simulation.objects.get()
    assert preview.title.startswith("Preview of core: too strict, really")
    assert f'name="previewed" value="{preview.pk}"' in page
    assert "Put in force" not in page
    queue.run_pending()
    page = preview_of(owner, preview)
    assert "(+0 −2)" in page
    assert "Put in force" in page
    assert (core.versions.count(), Finding.objects.open().count()) == (1, 2)
    text = TEXT.format(version="2.2.0")
    sent = {"text": text, "comment": "too strict", "intent": "apply", "previewed": preview.pk}
    applied = owner.post(path, sent)
    assert applied.headers["Location"] == f"{LIST}{core.pk}/"
    core.refresh_from_db()
    assert core.current is not None
    assert (core.current.number, core.current.comment, core.current.author_name) == (2, "too strict", "owner")
    assert not Finding.objects.open().exists()


def test_without_javascript_the_preview_is_looked_at_again_by_hand(core: Policy, owner: Client) -> None:
    path, text = f"{LIST}{core.pk}/edit/", TEXT.format(version="2.2.0")
    page = owner.post(path, {"text": text, "intent": "preview"}).content.decode()
    assert 'name="intent" value="look"' in page
    seen = Simulation.objects.get()
    queue.run_pending()
    page = owner.post(path, {"text": text, "intent": "look", "previewed": seen.pk}).content.decode()
    assert "(+0 −2)" in page
    assert Simulation.objects.count() == 1


@pytest.mark.parametrize("previewed", ["", "nonsense", "another", "unanswered"])
def test_nothing_is_put_in_force_that_was_not_previewed(
    governed: World, core: Policy, owner: Client, previewed: str
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    if previewed in ("another", "unanswered"):
        version = {"another": "2.3.0", "unanswered": "2.2.0"}[previewed]
        owner.post(path, {"text": TEXT.format(version=version), "intent": "preview"})
        if previewed == "another":
            queue.run_pending()
        previewed = str(Simulation.objects.get().pk)
    answer = owner.post(
        path, {"text": TEXT.format(version="2.2.0"), "intent": "apply", "previewed": previewed}
    )
    page = answer.content.decode()
    assert "The text isn’t the one that was previewed" in page
    assert "What it would do" in page
    core.refresh_from_db()
    assert core.versions.count() == 1


def previewed(client: Client, core: Policy) -> dict[str, str]:
    """What the editor sends once the preview was seen."""
    text = TEXT.format(version="2.2.0")
    client.post(f"{LIST}{core.pk}/edit/", {"text": text, "intent": "preview"})
    queue.run_pending()
    return {"text": text, "intent": "apply", "previewed": str(Simulation.objects.get().pk)}


@pytest.mark.parametrize("moved", ["what the tenants run", "what the time makes of the rules"])
def test_nothing_is_put_in_force_once_the_world_is_not_as_previewed(
    governed: World, core: Policy, owner: Client, moved: str
) -> None:
    policy = Policy.objects.get(name="core")
    factories.exemption(governed.tenant_a, policy, until=AT + timedelta(hours=1))
    sent = previewed(owner, core)
    if moved == "what the tenants run":
        factories.install(governed.tenant_a, {"crm": "2.5.0"})
    with time_machine.travel(AT + timedelta(hours=2), tick=False):
        page = owner.post(f"{LIST}{core.pk}/edit/", sent).content.decode()
    assert f"Since it was worked out, {moved} changed. Look at its impact as it is now." in page
    newest = Simulation.objects.order_by("-number")[0]
    assert f'name="previewed" value="{newest.pk}"' in page
    assert (newest.number, core.versions.count()) == (2, 1)


def test_a_stale_preview_is_refused_where_governance_was_switched_off_too(
    governed: World, core: Policy, owner: Client
) -> None:
    sent = previewed(owner, core)
    factories.install(governed.tenant_a, {"crm": "2.5.0"})
    Group.objects.filter(pk=governed.group.pk).update(governance_enabled=False)
    page = owner.post(f"{LIST}{core.pk}/edit/", sent).content.decode()
    assert "plugin-version-governance is off" in page
    assert core.versions.count() == 1


def test_a_draft_is_kept_and_put_in_force_later(governed: World, core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}"
    owner.post(f"{path}/edit/", {"text": TEXT.format(version="2.2.0"), "intent": "draft"})
    core.refresh_from_db()
    assert core.current is not None
    assert (core.versions.count(), core.current.number) == (2, 1)
    assert "at_least: 2.2.0" in read(owner, f"{path}/edit/")
    assert "Put in force" in read(owner, f"{path}/versions/")
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
        (
            TEXT.format(version="2.4.0").replace("name: core", 'name: "\\UFFFFFFFF"'),
            "number that is too large",
        ),
    ],
)
def test_what_is_wrong_is_told_by_line(core: Policy, owner: Client, wrong: str, told: str) -> None:
    answer = owner.post(f"{LIST}{core.pk}/edit/", {"text": wrong, "intent": "preview"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was saved" in page
    assert told in page.replace("&#x27;", "'")
    assert not Simulation.objects.exists()


@pytest.mark.parametrize("character", ["0", "ud800"])
def test_a_name_that_cannot_be_kept_is_refused_and_not_looked_up(
    governed: World, owner: Client, character: str
) -> None:
    text = TEXT.format(version="2.4.0").replace("name: core", f'name: "a\\{character}"')
    answer = owner.post(f"{LIST}create/", {"text": text, "kind": "policy", "intent": "preview"})
    assert answer.status_code == 422
    assert "be kept: NUL or half a surrogate pair" in answer.content.decode()


def test_the_line_of_a_problem_is_shown_with_it(core: Policy, owner: Client) -> None:
    wrong = TEXT.format(version="2.4.0").replace("profile: align", "profile: none-such")
    page = owner.post(f"{LIST}{core.pk}/edit/", {"text": wrong}).content.decode()
    assert "<strong>Line 3</strong> <code>profile: none-such</code>" in page


def test_a_new_policy_is_previewed_and_put_in_force(governed: World, owner: Client) -> None:
    path = f"{LIST}create/"
    assert "profile: align" in read(owner, path)
    new = {
        "kind": "baseline",
        "text": "name: base\nprofile: align\ntenants: '*'\nversions: {crm: '>=2.5.0'}\n",
    }
    preview = owner.post(path, {**new, "intent": "preview"})
    assert preview.status_code == 200, preview.content.decode()
    queue.run_pending()
    seen = Simulation.objects.get()
    assert "(+2 −0)" in preview_of(owner, seen)
    assert not Policy.objects.filter(name="base").exists()
    owner.post(path, {**new, "intent": "apply", "previewed": seen.pk})
    base = Policy.objects.get(name="base")
    assert (base.status, base.kind) == (Status.ACTIVE, "baseline")
    taken = owner.post(path, {"kind": "policy", "text": TEXT.format(version="2.4.0")})
    assert "there is a policy core already" in taken.content.decode()


def test_what_is_switched_off_is_refused_with_the_reason(
    governed: World, core: Policy, owner: Client
) -> None:
    Group.objects.filter(pk=governed.group.pk).update(governance_enabled=False)
    shown = owner.post(f"{LIST}{core.pk}/edit/", {"text": TEXT.format(version="2.2.0")})
    assert "plugin-version-governance is off" in shown.content.decode()
    assert "What it would do" not in shown.content.decode()


def test_a_version_that_the_catalogue_no_longer_understands_is_refused(
    governed: World, core: Policy, owner: Client
) -> None:
    old = core.versions.get()
    rule = {"name": "crm", "plugins": ["crm"], "range": "no range at all"}
    old.document = {**old.document, "rules": [rule]}
    old.pk, old.number = None, 2
    old.save()
    answer = owner.post(f"{LIST}{core.pk}/versions/2/apply/", follow=True)
    assert "no range at all" in answer.content.decode()
    core.refresh_from_db()
    assert core.current is not None
    assert core.current.number == 1


def test_who_was_overtaken_by_a_colleague_loses_nothing_and_overwrites_nothing_unawares(
    governed: World, core: Policy, owner: Client
) -> None:
    path = f"{LIST}{core.pk}/edit/"
    assert '<input type="hidden" name="after" value="1"' in read(owner, path)
    colleague = factories.member(governed.group, "colleague", Role.EDITOR)
    theirs = {"text": TEXT.format(version="2.2.0"), "after": "1", "intent": "draft"}
    other = Client()
    other.force_login(colleague)
    assert other.post(path, theirs).status_code == 303
    mine = {"text": TEXT.format(version="2.3.0"), "after": "1", "comment": "Mine", "intent": "draft"}
    refused = owner.post(path, mine)
    page = refused.content.decode()
    assert refused.status_code == 409
    for told in ("Version 2, by colleague, was kept while you wrote", "at_least: 2.3.0", 'value="Mine"'):
        assert told in page
    assert core.versions.count() == 2
    assert '<input type="hidden" name="after" value="2"' in page
    assert owner.post(path, {**mine, "after": "2"}).status_code == 303
    assert core.versions.count() == 3


def test_the_same_text_kept_twice_overtakes_nobody(core: Policy, owner: Client) -> None:
    path = f"{LIST}{core.pk}/edit/"
    mine = {"text": TEXT.format(version="2.2.0"), "after": "1", "intent": "draft"}
    assert [owner.post(path, mine).status_code for _ in range(2)] == [303, 303]
    assert core.versions.count() == 2
