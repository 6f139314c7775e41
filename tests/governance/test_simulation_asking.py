"""Simulations as people ask for them in the console: what they are called, and who may apply which."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from config import queue
from config.access import SYSTEM
from governance import profiles, simulation, snapshots
from governance.forms.simulations import SupposeForm
from governance.models import Policy, Simulation
from governance.models.snapshot import Trigger
from tenants.models import Role
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/simulations/"


@pytest.fixture
def old(world: World) -> Policy:
    """A policy that both tenants break."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    profiles.save(world.group, {"name": "align", "mode": "enforce"}, actor=SYSTEM, at=AT)
    return factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])


def test_what_is_supposed_is_called_by_its_kind_and_by_names_that_people_know(
    world: World, old: Policy, client: Client
) -> None:
    factories.policy(world.group, "stay", [], kind="hold", plugins=["crm"])
    granted = factories.exemption(world.tenant_a, old, until=timezone.now() + timedelta(days=9))
    hold = "{name: week, tenants: '*', plugins: [crm], until: in 9 days, reason: Quiet.}"
    exemption = "{tenant: tenant-b, policy: old, reason: Migrates., until: in 9 days}"
    client.force_login(world.owner)
    text = f"holds:\n  - {hold}\nexemptions:\n  - {exemption}\n"
    sent = client.post(f"{LIST}create/", {"retired": ["stay"], "ended": [str(granted.pk)], "text": text})
    assert sent.status_code == 303, sent.content.decode()
    told = "hold week, exemption of tenant-b from old, without hold stay"
    told += ", without exemption of tenant-a from old"
    assert Simulation.objects.order_by("-number")[0].title == told
    assert told in client.get(LIST).content.decode()
    assert told in client.get(sent.headers["Location"]).content.decode()


def test_a_past_snapshot_alone_is_judged_by_the_rules_of_now(
    world: World, old: Policy, client: Client
) -> None:
    snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    what = simulation.Supposition(snapshot=1)
    past = simulation.simulate_what(world.group, what, at=AT, actor=SYSTEM)
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{past.pk}/").content.decode()
    assert "Of snapshot 1, 0 of 2 tenants are in line by the rules of now" in page
    assert "It makes no difference" not in page


def test_a_date_that_can_not_be_read_is_told_beside_its_field_whatever_the_text_says(
    world: World, old: Policy, client: Client
) -> None:
    client.force_login(world.owner)
    answer = client.post(f"{LIST}create/", {"at": "sometime", "text": "withdrawn: []\n"})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert list(form.errors) == ["at"]
    assert not form.problems


def test_who_may_not_decide_about_exemptions_can_not_apply_one(
    world: World, old: Policy, client: Client
) -> None:
    editor = factories.member(world.group, "editor", Role.EDITOR)
    factories.exemption(world.tenant_a, old, until=AT + timedelta(days=9), name="late")
    what = simulation.Supposition(ended=["late"])
    ending = simulation.simulate_what(world.group, what, at=AT, actor=SYSTEM)
    client.force_login(editor)
    answer = client.post(f"{LIST}{ending.pk}/apply/", follow=True)
    assert "Those who may edit policies and decide about exemptions" in answer.content.decode()
    with time_machine.travel(AT, tick=False):  # later, the exemption is over and the answer outdated
        page = client.get(f"{LIST}{ending.pk}/").content.decode()
    assert "Those who may edit policies and decide about exemptions" in page
    assert "apply/" not in page


def test_whoever_asked_for_an_exemption_is_told_before_that_someone_else_applies_it(
    world: World, old: Policy, client: Client
) -> None:
    text = "exemptions:\n  - {tenant: tenant-b, policy: old, reason: Migrates., until: in 9 days}\n"
    client.force_login(world.owner)
    path = client.post(f"{LIST}create/", {"text": text}).headers["Location"]
    queue.run_pending()
    page = client.get(path).content.decode()
    assert "someone else than the person who asked has to apply it" in page
    assert "apply/" not in page
    client.force_login(factories.member(world.group, "second", Role.OWNER))
    assert f"{path}apply/" in client.get(path).content.decode()


def test_a_tenant_that_may_still_come_is_told_on_the_page_and_in_the_summary(
    world: World, old: Policy, client: Client
) -> None:
    hold = "{name: week, tenants: {keys: [tenant-x]}, plugins: [crm], until: in 9 days, reason: Quiet.}"
    client.force_login(world.owner)
    sent = client.post(f"{LIST}create/", {"text": f"holds:\n  - {hold}\n"})
    queue.run_pending()
    told = "week: tenants.keys[0]: there is no tenant “tenant-x” yet; did you mean “tenant-b”?"
    assert told in client.get(sent.headers["Location"]).content.decode()
    assert "there is no tenant “tenant-x” yet" in simulation.markdown(Simulation.objects.get())


def test_the_form_tells_slips_by_the_lines_of_its_text(world: World, old: Policy) -> None:
    text = "holds:\n  - name: week\n    tenants: {keys: [tenant-x]}\n    plugins: [crm]\n"
    text += "    until: in 9 days\n    reason: Quiet.\n"
    form = SupposeForm({"text": text}, group=world.group, at=AT)
    assert form.is_valid()
    assert [(one.line, one.place) for one in form.warnings] == [(3, "holds[0].tenants.keys[0]")]
