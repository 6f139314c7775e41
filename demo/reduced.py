"""A few controllers of the real fleet as they were last, under the demo's policies: enough for a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from config.access import SYSTEM
from demo import fleet, jenkins, loading
from governance import catalogue, configuration, manifests, snapshots
from governance.models.snapshot import Trigger
from tenants import groups
from tenants.models import Group

SLUG = "eclipse"
# One of each tier and ring, those that the policies, the hold and the exemption name among them.
TENANTS = (
    "adoptium.mc",
    "ecd.theia",
    "eclipse.jdt",
    "eclipse.platform.releng",
    "ee4j.jersey",
    "foundation-internal.simrel",
    "technology.cbi",
    "tools.cdt.tcf",
)


def load(*, at: datetime, keys: Sequence[str] = TENANTS) -> Group:
    """Make the group with these tenants, through the same doors as the whole fleet."""
    newest = {one.tenant: one for one in fleet.manifests() if one.tenant in keys}
    plugins = {name for one in newest.values() for name in one.plugins} | {jenkins.HOST}
    group = groups.create_group(
        slug=SLUG,
        name="A part of the Eclipse CI fleet",
        default_scheme=jenkins.SCHEME,
        host_name=jenkins.HOST,
        actor=SYSTEM,
        at=at,
    )
    known = [document for document in jenkins.documents() if document["plugin"] in plugins]
    catalogue.load(group, known, actor=SYSTEM, at=at)
    groups.add_tenants(group, [one for one in fleet.tenants() if one.key in keys], actor=SYSTEM, at=at)
    manifests.ingest(group, list(newest.values()), actor=SYSTEM, at=at)
    snapshots.seal(group, trigger=Trigger.COMMAND, actor=SYSTEM, at=at)
    files = configuration.load(settings.CONFIGURATION_DIR)
    configuration.apply(files, groups=[group.slug], actor=SYSTEM, at=at)
    loading.hand_to_sandbox(group)
    return group
