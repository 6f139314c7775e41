"""Signing in, and where that leads."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from config.access import SYSTEM
from tenants import groups
from tenants.models import Role
from tests import factories
from tests.factories import PASSWORD, World


def test_a_stranger_is_asked_to_sign_in_and_comes_back(world: World, client: Client) -> None:
    answer = client.get("/g/acme/tenants/?q=a")
    assert answer.headers["Location"] == "/login/?next=/g/acme/tenants/%3Fq%3Da"
    form = {"username": "owner", "password": PASSWORD, "next": "/g/acme/tenants/?q=a"}
    assert client.post("/login/", form).headers["Location"] == "/g/acme/tenants/?q=a"


def test_a_wrong_password_is_said_without_saying_what_was_wrong(world: World, client: Client) -> None:
    answer = client.post("/login/", {"username": "owner", "password": "wrong"})
    assert answer.status_code == 200
    assert b"correct username and password" in answer.content


def test_signing_in_never_leads_to_another_site(world: World, client: Client) -> None:
    form = {"username": "owner", "password": PASSWORD, "next": "https://example.org/"}
    assert client.post("/login/", form).headers["Location"] == "/"


def test_a_person_of_one_group_begins_in_it(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert client.get("/").headers["Location"] == "/g/acme/home/"


def test_a_person_of_several_groups_chooses(world: World, client: Client) -> None:
    other = factories.group("other")
    groups.add_member(other, world.owner, Role.AUDITOR, actor=SYSTEM, at=factories.AT)
    client.force_login(world.owner)
    page = client.get("/").content.decode()
    assert 'href="/g/acme/home/"' in page
    assert 'href="/g/other/home/"' in page
    assert "elsewhere" not in page


def test_a_person_of_no_group_is_told_what_to_do(world: World, client: Client) -> None:
    client.force_login(factories.person("newcomer"))
    assert b"You belong to no group yet" in client.get("/").content


def test_the_home_of_a_group_that_one_isnt_in_is_not_there(world: World, client: Client) -> None:
    client.force_login(world.outsider)
    assert client.get("/g/acme/home/").status_code == 404


def test_who_enters_a_groups_address_is_led_to_where_their_work_begins(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    assert client.get("/g/acme/").headers["Location"] == "/g/acme/mine/"
    client.force_login(world.owner)
    assert client.get("/g/acme/").status_code == 200
    client.force_login(world.outsider)
    assert client.get("/g/acme/").status_code == 404


def test_signing_out_takes_a_post(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/g/acme/tenants/"])
def test_nothing_is_shown_to_a_stranger(world: World, client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/login/")


def guess(client: Client, password: str, username: str = "owner", address: str = "192.0.2.1") -> Any:
    form = {"username": username, "password": password}
    return client.post("/login/", form, REMOTE_ADDR=address)


def test_who_guesses_passwords_is_kept_out_for_a_while(world: World, client: Client) -> None:
    with time_machine.travel(factories.AT, tick=False) as clock:
        assert [guess(client, f"wrong-{n}").status_code for n in range(5)] == [200, 200, 200, 200, 429]

        refused = guess(client, PASSWORD)
        assert refused.status_code == 429
        assert "for 15 minutes" in refused.content.decode()

        clock.shift(timedelta(minutes=16))
        assert guess(client, PASSWORD).status_code == 302


def test_guesses_keep_nobody_else_out(world: World, client: Client) -> None:
    for n in range(6):
        guess(client, f"wrong-{n}")

    assert guess(client, PASSWORD, address="192.0.2.2").status_code == 302
    assert guess(client, PASSWORD, username="viewer").status_code == 302


def test_the_right_password_forgets_the_wrong_ones(world: World, client: Client) -> None:
    for _round in range(2):
        assert [guess(client, "wrong").status_code for _ in range(4)] == [200] * 4
        assert guess(client, PASSWORD).status_code == 302
        client.post("/logout/")
