"""The help."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db import models
from django.test import Client
from django.utils.html import escape

from governance.models import Finding, Plan, UpgradeTask
from governance.versions import SCHEMES, scheme
from governance.versions.examples import EXAMPLES, Example
from governance.views.help import LIFECYCLES, TASK_STATES, TOPICS
from tests.factories import World

HELP = "/g/acme/help/"
OUR_PACKAGES = {"config", "audit", "tenants", "governance", "demo"}


@pytest.mark.parametrize("topic", ["", *(f"{topic}/" for topic in TOPICS)])
def test_every_member_can_read_it(world: World, client: Client, topic: str) -> None:
    for user in (world.owner, world.viewer, world.tenant_admin):
        client.force_login(user)
        page = client.get(f"{HELP}{topic}")
        assert page.status_code == 200
        assert b'href="/internal/docs/"' in page.content
    client.force_login(world.outsider)
    assert client.get(f"{HELP}{topic}").status_code == 404


def test_there_is_no_help_on_what_is_no_topic(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert client.get(f"{HELP}nonsense/").status_code == 404


def test_a_ring_is_said_to_wait_for_the_success_of_those_before(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"{HELP}words/").content.decode()
    assert "its tenants follow once the earlier rings have succeeded for long enough" in page


def test_each_state_of_a_task_is_told_in_words(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    page = client.get(f"{HELP}execution/").content.decode()
    assert set(TASK_STATES) == set(UpgradeTask.Status)
    for status, meaning in TASK_STATES.items():
        assert f"<dt>{status.label}</dt><dd>{escape(meaning)}</dd>" in page


def test_the_commands_that_exist_are_named(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"{HELP}commands/").content.decode()
    ours = {name for name, package in get_commands().items() if package in OUR_PACKAGES}
    assert {name for name in ours if f"<code>{name}" not in page} == set()


def test_the_states_are_those_of_the_code(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"{HELP}states/").content.decode()
    for status in (*Finding.Status, *Plan.Standing):
        assert f">{status.label}</span>" in page
    tables = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    for model, table in zip(LIFECYCLES, tables, strict=True):
        drawn = [re.findall(r">([^<>]+)</span>", row) for row in table.split("</tr>") if row]
        assert {of[0]: set(of[1:]) or {"stays so"} for of in drawn} == in_words(model)


def in_words(model: type[models.Model]) -> dict[str, set[str]]:
    """Which states follow each state by the model's table, as people read them."""
    transitions: Any = model.TRANSITIONS  # type: ignore[attr-defined]
    field: Any = model._meta.get_field("status")
    labels = {value: escape(label) for value, label in field.flatchoices}
    return {
        label: {labels[to] for to in transitions[value]} or {"stays so"} for value, label in labels.items()
    }


def test_whatever_moves_along_a_table_is_drawn() -> None:
    assert set(LIFECYCLES) == {model for model in apps.get_models() if hasattr(model, "TRANSITIONS")}


def test_examples_are_for_this_group_and_this_place(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"{HELP}manifests/").content.decode()
    assert "--group acme" in page
    assert "curl http://testserver/internal/version/governance/manifest" in page


def test_a_tenant_admin_is_not_sent_where_there_is_nothing_to_see(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    page = client.get(HELP).content.decode()
    for noun in ("policies", "plans", "ledger", "reports", "snapshots", "decisions"):
        assert f'href="/g/acme/{noun}/"' not in page
    assert 'href="/g/acme/exemptions/request/"' in page


def test_each_dialect_has_an_example() -> None:
    assert {name for one in EXAMPLES for name in one.dialects} == set(SCHEMES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.whose)
def test_an_example_of_a_range_holds(world: World, client: Client, example: Example) -> None:
    for name in example.dialects:
        found = scheme(name).range(example.text)
        assert found.contains(example.within)
        assert not found.contains(example.outside)
    client.force_login(world.viewer)
    assert f'>"{escape(example.text)}"</code>' in client.get(f"{HELP}policies/").content.decode()


@pytest.mark.parametrize("topic", TOPICS)
def test_no_help_leads_where_its_reader_may_not_go(world: World, client: Client, topic: str) -> None:
    client.force_login(world.tenant_admin)
    page = client.get(f"{HELP}{topic}/").content.decode()
    for path in set(re.findall(r'href="(/g/acme/[^"#]*)', page)):
        assert client.get(path, follow=True).status_code == 200, path
