"""What a person wrote in LDAP's own notations, checked before any server is asked; pure."""

from __future__ import annotations

from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter
from ldap3.utils.dn import parse_dn


def dn_problem(text: str) -> str:
    """Why it is no distinguished name, empty if it is one."""
    try:
        parse_dn(text)
    except LDAPException:
        return f"“{text}” is no distinguished name, such as ou=people,dc=example,dc=org"
    return ""


def filter_problem(text: str) -> str:
    """Why it is no filter, empty if it is one."""
    try:
        parse_filter(text, None, auto_escape=True, auto_encode=False, validator=None, check_names=False)
    except LDAPException as failure:
        return f"“{text}” is no filter as RFC 4515 has it: {failure}"
    return ""
