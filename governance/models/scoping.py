"""The two ways in which rows are kept within reach."""

from __future__ import annotations

from typing import Self, TypeVar

from django.db import models

from config.access import Access

Row = TypeVar("Row", bound=models.Model)


class GroupQuerySet(models.QuerySet[Row]):
    """Rows that speak of the whole group: seen only by those who reach all of it."""

    def within(self, access: Access) -> Self:
        """The group's rows, none for someone who reaches only some tenants."""
        return self.filter(group_id=access.group_id) if access.whole_group else self.none()


class CatalogueQuerySet(models.QuerySet[Row]):
    """Rows that tell nothing about any tenant: seen by every member."""

    def within(self, access: Access) -> Self:
        """The group's rows."""
        return self.filter(group_id=access.group_id)


class TenantRowQuerySet(models.QuerySet[Row]):
    """Rows that each speak of one tenant."""

    def within(self, access: Access) -> Self:
        """The rows of the tenants that the actor reaches."""
        if access.tenant_ids is None:
            return self.filter(group_id=access.group_id)
        return self.filter(group_id=access.group_id, tenant_id__in=access.tenant_ids)
