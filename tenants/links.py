"""Links in messages: signed, for one reader and some time, and without any authority of their own.

A link only names a page of the console. Whoever follows it signs in as always, and the page's own rules say
whether it is there for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from tenants.models import User

_SALT = "plumbline.links"


class LinkUnknown(Exception):
    """Not one of ours, or for somebody else."""


class LinkExpired(Exception):
    """One of ours, whose time is over."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__("The link has expired.")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console within a group."""

    group: str
    path: str


def page(group: str, name: str, *args: object, query: str = "") -> Page:
    """The page of that name."""
    return Page(group, reverse(name, args=[group, *args]) + query)


def signed(to: Page, *, user_id: int) -> str:
    """The whole address that leads the person there."""
    token = signing.dumps({"g": to.group, "p": to.path, "u": user_id}, salt=_SALT, compress=True)
    return f"{settings.BASE_URL}{reverse('follow_link', args=[token])}"


def opened(token: str, *, user: User) -> Page:
    """Where a link leads the person. Raises LinkUnknown and LinkExpired."""
    try:
        said = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise LinkUnknown from error
    if said["u"] != user.pk:
        raise LinkUnknown
    try:
        signing.loads(token, salt=_SALT, max_age=settings.LINKS_VALID)
    except signing.SignatureExpired as error:
        raise LinkExpired(said["g"]) from error
    return Page(said["g"], said["p"])


def within(address: str, *, user: User) -> str:
    """Where a link leads the person from within the console; any other address is as it was."""
    before, after = _around()
    if not (address.startswith(before) and address.endswith(after)):
        return address
    try:
        return opened(address[len(before) : -len(after)], user=user).path
    except (LinkUnknown, LinkExpired):
        return address


def _around() -> tuple[str, str]:
    """What stands before and after the token of every link."""
    before, _, after = reverse("follow_link", args=["token"]).partition("token")
    return f"{settings.BASE_URL}{before}", after
