"""Who belongs to a group, in which role."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

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


class Membership(models.Model):
    """One role of one person; a tenant admin's names the tenant, every other one reaches all of the group."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "group", "role", "tenant"], nulls_distinct=False, name="membership_once"
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
