"""The vocabulary of the ledger: every decision and change has one of these names."""

from django.db import models


class Action(models.TextChoices):
    """What was done. Names are never reused for something else."""

    GROUP_CHANGED = "group.changed", "Group changed"
    GROUP_HALTED = "group.halted", "All hand-overs of the group stopped"
    GROUP_RELEASED = "group.released", "Hand-overs of the group go on"
    FLAG_CHANGED = "flag.changed", "Feature flag switched"
    TENANT_ADDED = "tenant.added", "Tenant added"
    TENANT_CHANGED = "tenant.changed", "Tenant changed"
    MEMBER_ADDED = "member.added", "Member added"
    TOKEN_ISSUED = "token.issued", "Service token issued"
    TOKEN_REVOKED = "token.revoked", "Service token revoked"
    CATALOGUE_LOADED = "catalogue.loaded", "Catalogue loaded"
    RELEASE_WITHDRAWN = "release.withdrawn", "Release withdrawn"
    MANIFEST_ACCEPTED = "manifest.accepted", "Manifest accepted"
    SNAPSHOT_SEALED = "snapshot.sealed", "Snapshot sealed"
    PROFILE_APPLIED = "profile.applied", "Profile applied"
    POLICY_DRAFTED = "policy.drafted", "Policy version drafted"
    POLICY_APPLIED = "policy.applied", "Policy version put in force"
    POLICY_PAUSED = "policy.paused", "Policy paused"
    POLICY_RESUMED = "policy.resumed", "Policy resumed"
    POLICY_RETIRED = "policy.retired", "Policy retired"
    FINDINGS_CHANGED = "findings.changed", "Findings opened or closed"
    CONFLICT_FOUND = "conflict.found", "Conflict found"
    CONFLICT_DECIDED = "conflict.decided", "Conflict decided"
    CONFLICT_CLOSED = "conflict.closed", "Conflict no longer there"
    CONFLICT_REOPENED = "conflict.reopened", "Decision on a conflict taken back"
    EXEMPTION_REQUESTED = "exemption.requested", "Exemption requested"
    EXEMPTION_APPROVED = "exemption.approved", "Exemption approved"
    EXEMPTION_REJECTED = "exemption.rejected", "Exemption rejected"
    EXEMPTION_REVOKED = "exemption.revoked", "Exemption revoked"
    EXEMPTION_EXPIRED = "exemption.expired", "Exemption expired"
    SIMULATION_RUN = "simulation.run", "Simulation run"
    RUN_STARTED = "run.started", "Run started"
    RUN_FINISHED = "run.finished", "Run finished"
    PLAN_DRAFTED = "plan.drafted", "Plan drafted"
    PLAN_APPROVED = "plan.approved", "Plan approved"
    PLAN_STARTED = "plan.started", "Plan started"
    PLAN_REFUSED = "plan.refused", "Plan refused: the world moved"
    PLAN_PAUSED = "plan.paused", "Plan paused"
    PLAN_RESUMED = "plan.resumed", "Plan resumed"
    PLAN_CANCELLED = "plan.cancelled", "Plan cancelled"
    PLAN_RING_OPENED = "plan.ring_opened", "Next ring of a plan begun"
    PLAN_COMPLETED = "plan.completed", "Plan completed"
    WINDOW_AGREED = "window.agreed", "Maintenance window agreed"
    WINDOW_ENDED = "window.ended", "Maintenance window ended"
    FREEZES_APPLIED = "freezes.applied", "Freeze calendar applied"
    TASK_CHANGED = "task.changed", "Upgrade task moved on"
    TASK_PRIORITISED = "task.prioritised", "Upgrade task moved within the queue"
    TASK_CORRECTED = "task.corrected", "Upgrade done by hand"
    TASK_RECEIVED = "task.received", "Upgrade plan received"
    SNAPSHOT_RESTORED = "snapshot.restored", "Snapshot restored as the wanted state"
    NOTIFICATION_SENT = "notification.sent", "Notification sent"
    REMINDER_ACKNOWLEDGED = "reminder.acknowledged", "Reminder acknowledged"
    WEBHOOK_SUBSCRIBED = "webhook.subscribed", "Webhook subscribed"
    WEBHOOK_ENDED = "webhook.ended", "Webhook ended"
    DELIVERY_RETRIED = "delivery.retried", "Given-up delivery tried again"
    ALERT_RAISED = "alert.raised", "Alert raised"
    REPORT_BUILT = "report.built", "Report built"
    AUDIT_RECEIVED = "audit.received", "Audit record received"


# What the outbound audit contract persists elsewhere: policy executions, exemptions and conflicts.
REPORTED_ACTIONS = frozenset(
    action
    for action in Action
    if action.value.split(".")[0] in {"run", "plan", "policy", "exemption", "conflict"}
)
