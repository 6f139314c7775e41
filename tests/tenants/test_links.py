"""Links in messages: to the right page, for one reader, for some time, and by nobody's authority."""

from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tenants import links
from tenants.links import LinkExpired, LinkUnknown, Page
from tenants.models import User
from tests.factories import AT, World

PAGES = st.builds(Page, st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(min_size=1, max_size=60))


def path_of(world: World, user: User, name: str, *args: object) -> str:
    """The address within the site of a link made for the person."""
    return urlsplit(links.signed(links.page(world.group.slug, name, *args), user_id=user.pk)).path


def token_of(address: str) -> str:
    return urlsplit(address).path.removeprefix("/to/").removesuffix("/")


@given(page=PAGES, user_id=st.integers(1, 10**9), other=st.integers(1, 10**9))
def test_a_link_opens_for_its_reader_and_nobody_else(page: Page, user_id: int, other: int) -> None:
    token = token_of(links.signed(page, user_id=user_id))
    assert links.opened(token, user=User(pk=user_id)) == page
    if other != user_id:
        with pytest.raises(LinkUnknown):
            links.opened(token, user=User(pk=other))


@given(page=PAGES, place=st.integers(0, 400), letter=st.sampled_from("abcXYZ019_-:."))
def test_a_link_that_was_changed_is_none_of_ours(page: Page, place: int, letter: str) -> None:
    token = token_of(links.signed(page, user_id=1))
    at = place % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    try:
        opened = links.opened(changed, user=User(pk=1))
    except LinkUnknown:
        return
    assert opened == page  # the same link in another spelling at most


@given(page=PAGES, late=st.integers(-1000, 1000))
def test_a_link_lasts_as_long_as_it_is_said_to(page: Page, late: int) -> None:
    with time_machine.travel(AT, tick=False):
        token = token_of(links.signed(page, user_id=1))
    with time_machine.travel(AT + settings.LINKS_VALID + timedelta(hours=late), tick=False):
        if late > 0:
            with pytest.raises(LinkExpired):
                links.opened(token, user=User(pk=1))
        else:
            assert links.opened(token, user=User(pk=1)) == page


def test_a_link_asks_for_a_login_and_then_leads_on(world: World, client: Client) -> None:
    address = path_of(world, world.tenant_admin, "drift_list")
    asked = client.get(address)
    assert asked.status_code == 302
    assert unquote(asked.headers["Location"]) == f"/login/?next={address}"
    client.force_login(world.tenant_admin)
    assert client.get(address).headers["Location"] == "/g/acme/drift/"


def test_the_pages_own_rules_answer(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    address = path_of(world, world.tenant_admin, "tenant_detail", world.tenant_b.pk)
    assert client.get(address, follow=True).status_code == 404


def test_anothers_link_is_not_there(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    assert client.get(path_of(world, world.owner, "drift_list")).status_code == 404
    assert client.get("/to/made-up/").status_code == 404


def test_an_expired_link_says_so_and_leads_to_the_inbox(world: World, client: Client) -> None:
    with time_machine.travel(AT, tick=False):
        address = path_of(world, world.owner, "drift_list")
    client.force_login(world.owner)
    answer = client.get(address)
    assert answer.status_code == 410
    assert 'href="/g/acme/notifications/"' in answer.content.decode()


def test_who_has_left_the_group_is_led_home(world: World, client: Client) -> None:
    with time_machine.travel(AT, tick=False):
        address = path_of(world, world.outsider, "drift_list")
    client.force_login(world.outsider)
    page = client.get(address).content.decode()
    assert "You don’t belong to its group any more." in page
