"""What was last applied to a group from its configuration files."""

from __future__ import annotations

from django.db import models

from governance.models.scoping import GroupQuerySet
from tenants.models import Group


class Configuration(models.Model):
    """What the files say that no other table keeps, so that an export gives back what an import took.

    `sla`: {severity: days}, the group's default where a profile names none;
    `freezes`: [{"name", "from", "until", "reason"}], when nothing is changed in the group;
    `order`: {section: [names]} as in the files, sections that they leave out being absent;
    `exemptions`: {name: document} as written, by which a spent one is told from one that is asked for anew;
    `directory`: the group's part of the directory file as written, its LDAP mapping among it.
    """

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="configuration")
    sla = models.JSONField(null=True)
    freezes = models.JSONField(null=True)
    order = models.JSONField(default=dict)
    exemptions = models.JSONField(default=dict)
    directory = models.JSONField(null=True)
    applied_at = models.DateTimeField()
    applied_by_name = models.CharField(max_length=200)

    objects = GroupQuerySet["Configuration"].as_manager()

    def __str__(self) -> str:
        return f"Configuration of {self.group_id}"
