"""Where chat messages may be sent: addresses in apprise's notation, which hold secrets."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings

from config.chat import HOSTED

_SECONDS = 5.0  # to connect, and to wait for an answer; an address may not say otherwise


class AddressRefused(Exception):
    """An address that nothing is sent to. The message says why and never repeats the address."""


def opened(address: str) -> Any:
    """The address as something that can be notified. Raises AddressRefused.

    Redirects aren't followed, so that nobody but the service named is ever called.
    """
    apprise = _apprise()
    asset = apprise.AppriseAsset(http_redirects=False)
    service = apprise.Apprise.instantiate(address.strip(), asset=asset, suppress_exceptions=True)
    if service is None:
        raise AddressRefused(
            "That is no address of a chat service that is known here; it begins with the service’s name, "
            "such as slack://."
        )
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


def kind(address: str) -> str:
    """The service that the address belongs to, which is all of it that is ever shown."""
    return address.strip().split(":", 1)[0].lower()[:20] if address else ""


def _names(service: Any) -> set[str]:
    """The names that stand before :// for this service."""
    names: set[str] = set()
    for given in (service.protocol, service.secure_protocol):
        names.update([given] if isinstance(given, str) else given or ())
    return names


def _is_known_host(service: Any) -> bool:
    host = str(getattr(service, "host", "") or "").lower()
    port = getattr(service, "port", None)
    return host != "" and (host in settings.CHAT_HOSTS or f"{host}:{port}" in settings.CHAT_HOSTS)


@functools.cache
def _apprise() -> Any:
    """Imported where it is wanted: its hundreds of services take a second to load."""
    import apprise

    return apprise
