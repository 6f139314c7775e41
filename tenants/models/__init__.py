"""Groups, their tenants, and who may reach them."""

from tenants.models.group import Group
from tenants.models.membership import Membership, Role
from tenants.models.tenant import Tenant
from tenants.models.token import ServiceToken
from tenants.models.user import User

__all__ = ["Group", "Membership", "Role", "ServiceToken", "Tenant", "User"]
