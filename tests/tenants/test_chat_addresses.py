"""Addresses of chats: which are taken, and what they may set."""

from __future__ import annotations

from typing import Any

import pytest

from tenants import chat_addresses
from tenants.chat_addresses import AddressRefused

HOST = "127.0.0.1:9"
OURS = f"json://ann:secret@{HOST}/room"


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.CHAT_HOSTS = [HOST]


@pytest.mark.parametrize(
    "refused",
    [
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "mailto://user:secret@example.org",
        "json://169.254.169.254/latest/",
        "json://localhost:8000/",
        "xml://127.0.0.1/",
        "mmost://inside.example.org/token",
        "http://127.0.0.1:1/",
        "nonsense",
        "",
    ],
)
def test_addresses_that_could_reach_into_the_house_are_refused(refused: str) -> None:
    with pytest.raises(AddressRefused):
        chat_addresses.opened(refused)


@pytest.mark.parametrize(
    "more",
    [
        "template=/etc/passwd",
        "template=http://inside/",
        "redirect=yes",
        "verify=no",
        "rto=900",
        "+Host=inside",
    ],
)
def test_an_address_says_where_a_message_goes_and_nothing_more(more: str) -> None:
    slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#room"
    for plain in (OURS, slack.removesuffix("/#room")):
        assert chat_addresses.opened(f"{plain}?to=room")
        with pytest.raises(AddressRefused, match="may not set"):
            chat_addresses.opened(f"{plain}?{more}")
    with pytest.raises(AddressRefused, match="may not set"):
        chat_addresses.opened(f"{slack}?{more}")


def test_a_host_is_allowed_with_its_port(settings: Any) -> None:
    settings.CHAT_HOSTS = ["chat.example.org"]
    assert chat_addresses.opened("jsons://chat.example.org/room")
    with pytest.raises(AddressRefused):
        chat_addresses.opened("jsons://chat.example.org:8443/room")


def test_an_address_copied_from_a_services_own_page_is_taken_and_named_by_the_service() -> None:
    copied = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert chat_addresses.opened(copied)
    assert chat_addresses.kind(copied) == "hooks.slack.com"


def test_neither_redirects_nor_long_waits_are_put_up_with() -> None:
    service = chat_addresses.opened(OURS)
    assert (service.redirects, service.verify_certificate) == (False, True)
    assert service.request_timeout == (5.0, 5.0)


def test_an_operator_may_offer_fewer_services(settings: Any) -> None:
    slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert chat_addresses.opened(slack)
    settings.CHAT_SCHEMAS = frozenset({"tgram"})
    with pytest.raises(AddressRefused, match=r"slack isn’t offered here. These are: tgram"):
        chat_addresses.opened(slack)
