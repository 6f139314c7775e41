"""Where chat messages may be sent: addresses in apprise's notation, which hold secrets."""

from __future__ import annotations

import functools
import importlib
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from config.chat import HOSTED

_STATUS = re.compile(r"\berror[= ](\d{3})\b")
# Whom a message is for, and what proves that one may send it.
_HARMLESS = frozenset(
    {
        *("api-version", "channel", "key", "priority", "secret", "sig", "sp", "sv", "team", "thread"),
        *("to", "token", "topic"),
    }
)
_SECONDS = 5.0  # to connect, and to wait for an answer; an address may not say otherwise


class AddressRefused(Exception):
    """An address that nothing is sent to. The message says why and never repeats the address."""


def opened(address: str) -> Any:
    """The address as something that can be notified. Raises AddressRefused.

    Redirects aren't followed, so that nobody but the service named is ever called. Settings that come with an
    address could do more than say where a message goes, such as naming a file of this machine as a template:
    only harmless ones are let through.
    """
    address, apprise = address.strip(), _apprise()
    if unknown := _settings_in(address) - _HARMLESS:
        told, known = ", ".join(sorted(unknown)), ", ".join(sorted(_HARMLESS))
        raise AddressRefused(f"The address may not set {told}. It may set {known}.")
    asset = apprise.AppriseAsset(http_redirects=False)
    service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        raise AddressRefused(
            "That is no address of a chat service that is known here; it begins with the service’s name, "
            "such as slack://."
        )
    if getattr(service, "template", None):  # belt and braces: it would be read from a file or fetched
        raise AddressRefused("The address may not name a template.")
    names = _names(service)
    if not names & settings.CHAT_SCHEMAS:
        offered = ", ".join(sorted(settings.CHAT_SCHEMAS))
        raise AddressRefused(f"{min(names)} isn’t offered here. These are: {offered}.")
    if not names & HOSTED and not _is_known_host(service):
        raise AddressRefused(
            "No messages are sent to that host. The operator of Plumbline names the hosts in "
            "PLUMBLINE_CHAT_HOSTS."
        )
    service.redirects, service.verify_certificate = False, True
    service.socket_connect_timeout = service.socket_read_timeout = _SECONDS
    return service


def notify(service: Any, *, title: str, text: str) -> tuple[bool, int | None]:
    """Send by an opened address: whether it was taken, and the status of the answer where apprise names one.

    apprise tells what went wrong only in its log, whose lines may hold secrets: nothing but the number is
    taken from there.
    """
    apprise = _apprise()
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    result = sender.notify(
        title=title,
        body=text,
        body_format=apprise.NotifyFormat.TEXT,
        log_level=apprise.logging.WARNING,
    )
    # Of this call alone: others send at the same time, and what one of them hears is not said of this one.
    found = _STATUS.search("\n".join(entry.message for entry in result.logs()))
    return bool(result), int(found[1]) if found and not result else None


def kind(address: str) -> str:
    """The service that the address belongs to, which is all of it that is ever shown.

    One that was copied from a service's own pages is named by its host, which is that service's.
    """
    scheme, _, _ = address.strip().partition(":")
    if scheme.lower() in {"http", "https"}:
        return urlsplit(address.strip()).hostname or ""
    return scheme.lower()[:20]


def _settings_in(address: str) -> set[str]:
    """The names of what stands after the question mark, as apprise itself reads them."""
    plugins: Any = importlib.import_module("apprise.plugins")
    read: dict[str, Any] = plugins.url_to_dict(address, secure_logging=True) or {}
    return {str(name)[:40] for name in read.get("qsd") or ()}


def _names(service: Any) -> set[str]:
    """The names that stand before :// for this service."""
    names: set[str] = set()
    for given in (service.protocol, service.secure_protocol):
        names.update([given] if isinstance(given, str) else given or ())
    return names


def _is_known_host(service: Any) -> bool:
    host = str(getattr(service, "host", "") or "").lower()
    port = getattr(service, "port", None)
    return host != "" and (f"{host}:{port}" if port else host) in settings.CHAT_HOSTS


@functools.cache
def _apprise() -> Any:
    """Imported where it is wanted: its hundreds of services take a second to load."""
    import apprise

    return apprise
