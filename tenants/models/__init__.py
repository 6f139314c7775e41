"""Groups, their tenants, and who may reach them."""

from tenants.models.chat import TeamChat
from tenants.models.deputy import Deputy
from tenants.models.directory import DirectoryPerson, DirectorySync, PolicyOwner
from tenants.models.group import Group
from tenants.models.language import Language
from tenants.models.membership import Membership, Origin, Role
from tenants.models.preferences import Channel, Preferences
from tenants.models.tenant import Tenant
from tenants.models.token import ServiceToken
from tenants.models.user import User

__all__ = [
    "Channel",
    "Deputy",
    "DirectoryPerson",
    "DirectorySync",
    "Group",
    "Language",
    "Membership",
    "Origin",
    "PolicyOwner",
    "Preferences",
    "Role",
    "ServiceToken",
    "TeamChat",
    "Tenant",
    "User",
]
