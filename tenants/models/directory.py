"""Where it is known from who is responsible for what."""

from __future__ import annotations

from typing import Self

from django.db import models

from config.access import Access
from tenants.models.group import Group
from tenants.models.membership import Origin
from tenants.models.user import User


class PolicyOwnerQuerySet(models.QuerySet["PolicyOwner"]):
    """Reads of who answers for policies."""

    def within(self, access: Access) -> Self:
        """The group's rows, none for someone who reaches only some tenants."""
        return self.filter(group_id=access.group_id) if access.whole_group else self.none()


class PolicyOwner(models.Model):
    """One person answers for one policy, which stands here by its name: it may be written later, or anew."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="policy_owners")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="policies")
    policy = models.CharField(max_length=200)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.HAND)

    objects = PolicyOwnerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user", "policy", "origin"], name="policy_owner_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.policy}"


class DirectoryPerson(models.Model):
    """A person as the file or LDAP knows them. Who is `disabled` there reaches nothing and is told nothing.

    `account_made`: the account exists because of it, so name and address follow it.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="listed")
    origin = models.CharField(max_length=8, choices=Origin)
    disabled = models.BooleanField(default=False)
    account_made = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "directory people"
        constraints = [
            models.UniqueConstraint(fields=["group", "user", "origin"], name="directory_person_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.origin}"


class DirectorySync(models.Model):
    """How a group's last look into LDAP went. `problem` is empty when it went well."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="directory_sync")
    tried_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    unmatched = models.JSONField(default=list)  # in words, what it gives for tenants that aren't there

    def __str__(self) -> str:
        return f"directory of {self.group_id}"
