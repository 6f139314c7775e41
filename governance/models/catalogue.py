"""Plugins, their releases, and the security warnings on them."""

from __future__ import annotations

from django.db import models

from governance.models.scoping import CatalogueQuerySet
from tenants.models import Group


class Plugin(models.Model):
    """A component of a group's catalogue. The host is one too."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="plugins")
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    scheme = models.CharField(max_length=20)  # the version dialect, see governance.versions
    is_host = models.BooleanField(default=False)
    # False while it is known from manifests only.
    catalogued = models.BooleanField(default=True)

    objects = CatalogueQuerySet["Plugin"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "name"], name="plugin_name_once"),
            models.UniqueConstraint(
                fields=["group"], condition=models.Q(is_host=True), name="plugin_one_host_a_group"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """One version of a plugin. Versions are compared by `rank` and nothing else; equal versions share it."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    # No index of its own, which the planner would take in the place of that by plugin and version.
    plugin = models.ForeignKey(Plugin, on_delete=models.CASCADE, related_name="releases", db_index=False)
    version = models.CharField(max_length=200)
    rank = models.PositiveIntegerField()
    channel = models.CharField(max_length=40, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    security_fix = models.BooleanField(default=False)
    withdrawn = models.BooleanField(default=False)
    prerelease = models.BooleanField(default=False)
    # False while it is known from manifests only: nothing proposes such a release as a target.
    catalogued = models.BooleanField(default=True)
    host_min = models.CharField(max_length=200, blank=True)
    host_max = models.CharField(max_length=200, blank=True)
    # [{"plugin": name, "range": text, "optional"?: true, "any_of"?: [{"plugin", "range"}, ...]}]
    requires = models.JSONField(default=list, blank=True)
    conflicts = models.JSONField(default=list, blank=True)  # [{"plugin": name, "range": text}]
    provides = models.JSONField(default=list, blank=True)  # [name]
    # Whether the rules have been compiled against the release as it stands. Whoever adds or changes one, or a
    # security warning on it, leaves False behind; the next detection of drift compiles what that touches.
    # Only of a catalogue that comes before all rules it is True at once: those are compiled against it.
    compiled = models.BooleanField(default=False, db_default=False)

    objects = CatalogueQuerySet["Release"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plugin", "version"], name="release_version_once")]
        indexes = [
            models.Index(fields=["plugin", "rank"]),
            models.Index(
                fields=["group", "plugin"], condition=models.Q(compiled=False), name="release_uncompiled"
            ),
        ]

    def __str__(self) -> str:
        return self.version


class Advisory(models.Model):
    """A security warning on a plugin."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    plugin = models.ForeignKey(Plugin, on_delete=models.CASCADE, related_name="advisories")
    identifier = models.CharField(max_length=100)
    title = models.CharField(max_length=500)
    url = models.URLField(blank=True)
    # A range, or a list of versions: what it says of releases that become known later.
    affects = models.JSONField(default=list)
    releases: models.ManyToManyField[Release, ReleaseAdvisory] = models.ManyToManyField(
        Release, through="ReleaseAdvisory", related_name="advisories"
    )

    objects = CatalogueQuerySet["Advisory"].as_manager()

    class Meta:
        verbose_name_plural = "advisories"
        constraints = [models.UniqueConstraint(fields=["plugin", "identifier"], name="advisory_once")]

    def __str__(self) -> str:
        return self.identifier


class ReleaseAdvisory(models.Model):
    """A release that a security warning affects."""

    advisory = models.ForeignKey(Advisory, on_delete=models.CASCADE)
    release = models.ForeignKey(Release, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "advisory"], name="release_advisory_once")]

    def __str__(self) -> str:
        return f"{self.advisory_id} {self.release_id}"
