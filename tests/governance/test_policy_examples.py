"""What the editor begins with for a new policy, and what it says of a text of another kind."""

from __future__ import annotations

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import profiles
from governance.models import Policy, Simulation
from tests import factories
from tests.factories import AT, World

CREATE = "/g/acme/policies/create/"


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    profiles.save(world.group, {"name": "steady", "mode": "observe"}, actor=SYSTEM, at=AT)
    client.force_login(world.owner)
    return client


def test_it_begins_with_the_example_of_a_policy(owner: Client) -> None:
    page = owner.get(CREATE)
    assert page.context["form"].initial["text"] == page.context["examples"]["policy"]
    assert '<script id="examples" type="application/json">' in page.content.decode()


@pytest.mark.parametrize("kind", Policy.Kind)
def test_each_example_can_be_tried_as_it_stands(owner: Client, kind: Policy.Kind) -> None:
    text = owner.get(CREATE).context["examples"][kind]
    owner.post(CREATE, {"kind": kind, "text": text, "intent": "preview"})
    (supposed,) = Simulation.objects.get().supposed["policies"]
    assert supposed["kind"] == kind


def test_a_text_of_another_kind_is_told_which(owner: Client) -> None:
    text = owner.get(CREATE).context["examples"]["hold"]
    page = owner.post(CREATE, {"kind": "policy", "text": text, "intent": "preview"})
    assert page.status_code == 422
    assert "it could be used as it stands with the kind “Hold”" in page.content.decode()


def test_a_text_of_no_kind_isnt(owner: Client) -> None:
    page = owner.post(CREATE, {"kind": "policy", "text": "name: nothing", "intent": "preview"})
    assert page.status_code == 422
    assert "it could be used" not in page.content.decode()


def test_an_edited_policy_has_no_examples_and_stays_what_it_is(owner: Client, world: World) -> None:
    text = owner.get(CREATE).context["examples"]["hold"]
    policy = factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "2.3.0"}])
    path = f"/g/acme/policies/{policy.pk}/edit/"
    assert 'id="examples"' not in owner.get(path).content.decode()
    page = owner.post(path, {"text": text, "intent": "preview"})
    assert "it could be used" not in page.content.decode()
