"""Who belongs to a group, in which role."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from config.access import Access
from config.access import Permission as P
from tenants.models.group import Group
from tenants.models.tenant import Tenant
from tenants.models.user import User


class Role(models.TextChoices):
    """What a person is in a group."""

    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    OPERATOR = "operator", "Operator"
    APPROVER = "approver", "Approver"
    AUDITOR = "auditor", "Auditor"
    TENANT_ADMIN = "tenant_admin", "Tenant admin"


class Origin(models.TextChoices):
    """Where it is known from. Each source changes and ends only what it gave itself."""

    HAND = "hand", "By hand"
    FILE = "file", "File"
    LDAP = "ldap", "LDAP"


_AUDITOR = frozenset({P.GROUP_VIEW, P.TENANT_VIEW, P.LEDGER_VIEW, P.REPORT_VIEW})
_SEES = _AUDITOR | {P.POLICY_SIMULATE, P.EXEMPTION_REQUEST, P.REMINDER_ACKNOWLEDGE}
_OPERATOR = _SEES | {
    P.SNAPSHOT_SEAL,
    P.MANIFEST_PUSH,
    P.POLICY_ENFORCE,
    P.PLAN_OPERATE,
    P.TASK_CORRECT,
    P.REPORT_BUILD,
}

ROLE_PERMISSIONS: dict[str, frozenset[P]] = {
    Role.OWNER: frozenset(P) - {P.METRICS_READ, P.UPGRADE_WRITE, P.NOTIFY_SEND, P.AUDIT_WRITE},
    Role.EDITOR: _SEES | {P.POLICY_EDIT, P.CATALOGUE_EDIT, P.SNAPSHOT_SEAL, P.REPORT_BUILD},
    Role.OPERATOR: _OPERATOR,
    Role.APPROVER: _SEES | {P.EXEMPTION_DECIDE, P.CONFLICT_DECIDE, P.PLAN_APPROVE, P.REPORT_BUILD},
    Role.AUDITOR: _AUDITOR,
    Role.TENANT_ADMIN: frozenset(
        {P.TENANT_VIEW, P.EXEMPTION_REQUEST, P.REMINDER_ACKNOWLEDGE, P.TASK_CORRECT, P.WINDOW_AGREE}
    ),
}


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of who belongs to a group."""

    def within(self, access: Access) -> Self:
        """The group's; for someone who reaches only some tenants, those of these tenants' admins."""
        rows = self.filter(group_id=access.group_id)
        return rows if access.tenant_ids is None else rows.filter(tenant_id__in=access.tenant_ids)

    def valid(self) -> Self:
        """Of people who may sign in and whom no directory calls disabled."""
        disabled = User.objects.filter(listed__disabled=True, listed__group=OuterRef("group"))
        return self.filter(~Exists(disabled.filter(pk=OuterRef("user"))), user__is_active=True)


class Membership(models.Model):
    """One role of one person; a tenant admin's names the tenant, every other one reaches all of the group.

    The same role may be known from several origins, and is held until the last of them ends it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.HAND)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "group", "role", "tenant", "origin"],
                nulls_distinct=False,
                name="membership_once",
            ),
            models.CheckConstraint(
                condition=Q(role="tenant_admin", tenant__isnull=False)
                | (~Q(role="tenant_admin") & Q(tenant__isnull=True)),
                name="membership_tenant_only_for_tenant_admin",
                violation_error_message="A tenant admin needs a tenant; other roles reach the whole group.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.tenant or self.group}"
