"""Where LDAP is and how it is asked; what is read there stands in the groups' directory file."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.env import env


@dataclass(frozen=True, slots=True)
class LdapServer:
    """One LDAP server. Without TLS, a password and people's addresses would travel for all to read."""

    host: str
    port: int
    tls: str  # "ldaps", "starttls" or "none"
    ca_file: str = ""
    bind_dn: str = ""
    password: str = field(default="", repr=False)


def ldap_server() -> LdapServer | None:
    """The server that the environment names, None if it names none. Raises ImproperlyConfigured."""
    url: str = env.str("PLUMBLINE_LDAP_URL", default="")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or parts.path.strip("/"):
        raise ImproperlyConfigured("PLUMBLINE_LDAP_URL must be ldap://host:port or ldaps://host:port.")
    start_tls = env.bool("PLUMBLINE_LDAP_START_TLS", default=True)
    tls = "ldaps" if parts.scheme == "ldaps" else "starttls" if start_tls else "none"
    return LdapServer(
        host=parts.hostname,
        port=parts.port or (636 if parts.scheme == "ldaps" else 389),
        tls=tls,
        ca_file=env.str("PLUMBLINE_LDAP_CA_FILE", default=""),
        bind_dn=env.str("PLUMBLINE_LDAP_BIND_DN", default=""),
        password=env.str("PLUMBLINE_LDAP_PASSWORD", default=""),
    )
