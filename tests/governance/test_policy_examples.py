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


def refused(owner: Client, kind: str, text: str) -> tuple[str, int]:
    """The page, and how many things it says are wrong."""
    answer = owner.post(CREATE, {"kind": kind, "text": text, "intent": "preview"})
    assert answer.status_code == 422
    return answer.content.decode(), len(answer.context["form"].problems)


def test_a_text_of_another_kind_is_told_which(owner: Client) -> None:
    text = owner.get(CREATE).context["examples"]["hold"]
    page, problems = refused(owner, "policy", text)
    assert "It could be of the kind <strong>Hold</strong>: choose that" in page
    assert f"{problems} things are wrong" in page


def test_a_text_that_could_be_of_two_kinds_is_told_both(owner: Client) -> None:
    page, _ = refused(owner, "hold", owner.get(CREATE).context["examples"]["policy"])
    assert "<strong>Baseline</strong> or <strong>Policy</strong>" in page


def test_of_a_name_that_is_taken_the_kind_is_not_the_reason(owner: Client, world: World) -> None:
    rules = [{"name": "crm", "plugins": ["crm"], "at_least": "2.3.0"}]
    factories.policy(world.group, "still-maintained", rules)
    page, problems = refused(owner, "policy", owner.get(CREATE).context["examples"]["policy"])
    assert (problems, "It could be of the kind" in page) == (1, False)


def test_a_text_of_no_kind_is_told_none(owner: Client) -> None:
    page, _ = refused(owner, "policy", "name: nothing")
    assert "It could be of the kind" not in page


def test_an_edited_policy_has_no_examples_and_stays_what_it_is(owner: Client, world: World) -> None:
    text = owner.get(CREATE).context["examples"]["hold"]
    policy = factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "2.3.0"}])
    path = f"/g/acme/policies/{policy.pk}/edit/"
    assert 'id="examples"' not in owner.get(path).content.decode()
    page = owner.post(path, {"text": text, "intent": "preview"})
    assert "It could be of the kind" not in page.content.decode()
