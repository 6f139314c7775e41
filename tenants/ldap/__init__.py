"""LDAP as a source of who is responsible for what."""

from tenants.ldap.mapping import Mapping, mapping_of
from tenants.ldap.reading import LdapFailure, read

__all__ = ["LdapFailure", "Mapping", "mapping_of", "read"]
