"""LDAP asked: connected, bound, read page by page, with failures in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3 import ANONYMOUS, BASE, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core import exceptions as failures
from ldap3.core.results import RESULT_REFERRAL, RESULT_SUCCESS

from config.ldap import LdapServer
from tenants.ldap.mapping import Entry, Found, Groups, Mapping, roster_of
from tenants.rosters import Roster

PAGE = 500  # entries; servers seldom give more than 1,000 at once
_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 20


class LdapFailure(Exception):
    """LDAP didn't answer as is needed; the message says what to do about it. Nothing is taken over."""


def read(server: LdapServer, mapping: Mapping) -> Roster:
    """All that LDAP says for one group. Raises LdapFailure, also where it answers with nobody at all."""
    with _connected(server) as connection:
        found = _find(connection, mapping)
    roster = roster_of(mapping, found)
    if not roster.people:
        raise LdapFailure(
            f"LDAP answers with nobody under {mapping.people.base} who matches {mapping.people.filter} and "
            f"has a {mapping.people.name}. Nobody is removed for that: see to the base and the filter, or to "
            "what the account that asks may read."
        )
    return roster


@contextmanager
def _connected(server: LdapServer) -> Iterator[Connection]:
    try:
        connection = _connection(server)
        if server.tls == "starttls":
            connection.start_tls()
        connection.bind()
    except failures.LDAPException as failure:
        raise LdapFailure(_why_not_connected(server, failure)) from failure
    try:
        yield connection
    finally:
        connection.unbind()


def _connection(server: LdapServer) -> Connection:
    tls = Tls(
        validate=ssl.CERT_REQUIRED, ca_certs_file=server.ca_file or None, version=ssl.PROTOCOL_TLS_CLIENT
    )
    at = Server(
        server.host,
        port=server.port,
        use_ssl=server.tls == "ldaps",
        tls=None if server.tls == "none" else tls,
        get_info=NONE,  # the schema isn't needed, and not everybody may read it
        connect_timeout=_CONNECT_SECONDS,
    )
    return Connection(
        at,
        user=server.bind_dn or None,
        password=server.password or None,
        authentication=SIMPLE if server.bind_dn else ANONYMOUS,
        raise_exceptions=True,
        read_only=True,
        auto_referrals=False,  # they would be followed with our password, to whatever server is named
        receive_timeout=_ANSWER_SECONDS,
    )


def _find(connection: Connection, mapping: Mapping) -> Found:
    people = mapping.people
    entries = _search(connection, people.base, people.filter, people.attributes())
    disabled = (
        _search(connection, people.base, f"(&{people.filter}{people.disabled})", [people.name])
        if people.disabled
        else []
    )
    return Found(
        people=entries,
        disabled=disabled,
        roles=[(role, groups, _one(connection, groups)) for role, groups in mapping.roles],
        tenants=_groups(connection, mapping.tenants),
        policies=_groups(connection, mapping.policies),
    )


def _groups(connection: Connection, groups: Groups | None) -> list[Entry]:
    if groups is None:
        return []
    return _search(connection, groups.base, groups.filter, [groups.name, groups.member])


def _one(connection: Connection, groups: Groups) -> Entry:
    found = _search(connection, groups.base, "(objectClass=*)", [groups.member], scope=BASE)
    if not found:
        raise LdapFailure(_no_such(groups.base))
    return found[0]


def _search(
    connection: Connection, base: str, search: str, attributes: list[str], *, scope: Any = SUBTREE
) -> list[Entry]:
    """All entries, page by page: an answer cut short by the server's limit is a failure, not fewer people."""
    try:
        answer = connection.extend.standard.paged_search(
            base, search, search_scope=scope, attributes=attributes, paged_size=PAGE, generator=True
        )
        entries = [_entry(one) for one in answer if one.get("type") == "searchResEntry"]
    except failures.LDAPNoSuchObjectResult as failure:
        raise LdapFailure(_no_such(base)) from failure
    except failures.LDAPException as failure:
        told = " ".join(str(failure).split())[:200]
        raise LdapFailure(f"LDAP can’t answer {search} under {base}: {told}") from failure
    if connection.result["result"] == RESULT_REFERRAL:
        raise LdapFailure(
            f"LDAP names another server for {base}. Nobody but the one in PLUMBLINE_LDAP_URL is asked: name "
            "that one there, or a base that it has itself."
        )
    if connection.result["result"] != RESULT_SUCCESS:  # ldap3 raises nothing where a limit was reached
        raise LdapFailure(
            f"LDAP gives only a part of what is under {base} ({connection.result['description']}): raise its "
            "limit for the account that asks, or narrow the filter."
        )
    return entries


def _entry(answer: dict[str, Any]) -> Entry:
    raw: dict[str, list[bytes]] = answer["raw_attributes"]
    values = {name.lower(): [one.decode("utf-8", "replace") for one in found] for name, found in raw.items()}
    return Entry(answer["dn"], values)


def _no_such(base: str) -> str:
    return f"LDAP has no entry {base}: see to it in the directory file, or to what the account may read."


def _why_not_connected(server: LdapServer, failure: Exception) -> str:
    where = f"{server.host}:{server.port}"
    told = " ".join(str(failure).split())[:200]
    if isinstance(failure, failures.LDAPInvalidCredentialsResult):
        return f"LDAP at {where} refuses PLUMBLINE_LDAP_BIND_DN with PLUMBLINE_LDAP_PASSWORD: see to both."
    if (
        isinstance(failure, failures.LDAPStartTLSError)
        or "ssl" in told.lower()
        or "certificate" in told.lower()
    ):
        return (
            f"LDAP at {where} can’t be trusted or speaks no TLS: {told}. PLUMBLINE_LDAP_CA_FILE names the "
            "authority that signed its certificate."
        )
    return f"LDAP at {where} can’t be reached: is it running, and is PLUMBLINE_LDAP_URL right? ({told})"
