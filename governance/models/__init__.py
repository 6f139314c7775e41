"""The tables of governance, one noun a module."""

from governance.models.catalogue import Advisory, Plugin, Release, ReleaseAdvisory
from governance.models.configuration import Configuration
from governance.models.conflict import Conflict, ConflictTenant
from governance.models.decision import Decision, TenantDecision
from governance.models.exemption import Exemption
from governance.models.finding import Finding
from governance.models.idempotency import IdempotentAnswer
from governance.models.manifest import Inventory, Manifest, ManifestSource
from governance.models.mention import Mention
from governance.models.notification import Notification, Told, WebhookSubscription
from governance.models.order import UpgradeOrder
from governance.models.parcel import Parcel
from governance.models.plan import Plan, UpgradeTask
from governance.models.policy import Policy, PolicyVersion, Profile
from governance.models.reconciliation import Reconciliation
from governance.models.rollback import Rollback
from governance.models.rule import Rule, Selection, SelectionTenant, Violation
from governance.models.run import Run
from governance.models.silence import Silence
from governance.models.simulation import Simulation
from governance.models.snapshot import Installation, Snapshot
from governance.models.template import MessageTemplate
from governance.models.window import MaintenanceWindow

__all__ = [
    "Advisory",
    "Configuration",
    "Conflict",
    "ConflictTenant",
    "Decision",
    "Exemption",
    "Finding",
    "IdempotentAnswer",
    "Installation",
    "Inventory",
    "MaintenanceWindow",
    "Manifest",
    "ManifestSource",
    "Mention",
    "MessageTemplate",
    "Notification",
    "Parcel",
    "Plan",
    "Plugin",
    "Policy",
    "PolicyVersion",
    "Profile",
    "Reconciliation",
    "Release",
    "ReleaseAdvisory",
    "Rollback",
    "Rule",
    "Run",
    "Selection",
    "SelectionTenant",
    "Silence",
    "Simulation",
    "Snapshot",
    "TenantDecision",
    "Told",
    "UpgradeOrder",
    "UpgradeTask",
    "Violation",
    "WebhookSubscription",
]
