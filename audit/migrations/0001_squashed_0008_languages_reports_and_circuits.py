"""Everything of 0001 to 0008 at once, for a database that is new.

With the triggers by which the database itself keeps the ledger and built reports as they are.
"""

import django.db.models.deletion
import uuid
from django.db import migrations, models

LEDGER_REFUSE = """
CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse();
"""

LEDGER_ALLOW = """
DROP TRIGGER audit_entry_append_only ON audit_entry;
DROP TRIGGER audit_entry_no_truncate ON audit_entry;
DROP FUNCTION audit_entry_refuse();
"""

REPORTS_REFUSE = """
CREATE FUNCTION audit_report_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a built report never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_report_frozen BEFORE UPDATE ON audit_report
    FOR EACH ROW WHEN (OLD.status = 'ready') EXECUTE FUNCTION audit_report_refuse();
CREATE TRIGGER audit_reportfile_frozen BEFORE UPDATE ON audit_reportfile
    FOR EACH ROW EXECUTE FUNCTION audit_report_refuse();
"""

REPORTS_ALLOW = """
DROP TRIGGER audit_report_frozen ON audit_report;
DROP TRIGGER audit_reportfile_frozen ON audit_reportfile;
DROP FUNCTION audit_report_refuse();
"""


class Migration(migrations.Migration):
    replaces = [
        ("audit", "0001_initial"),
        ("audit", "0002_ledger_append_only"),
        ("audit", "0003_reports_frozen"),
        ("audit", "0004_delivery_retried"),
        ("audit", "0005_plans_and_deliveries"),
        ("audit", "0006_actions_and_chat"),
        ("audit", "0007_machines"),
        ("audit", "0008_languages_reports_and_circuits"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("group_id", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(max_length=200)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("group.changed", "Group changed"),
                            ("group.halted", "All hand-overs of the group stopped"),
                            ("group.released", "Hand-overs of the group go on"),
                            ("flag.changed", "Feature flag switched"),
                            ("tenant.added", "Tenant added"),
                            ("tenant.changed", "Tenant changed"),
                            ("member.added", "Member added"),
                            ("member.removed", "Member removed"),
                            ("person.added", "Person taken from the directory"),
                            ("person.changed", "Person changed in the directory"),
                            ("policy_owner.named", "Responsible for a policy named"),
                            ("policy_owner.ended", "No longer responsible for a policy"),
                            ("directory.synced", "Directory taken over"),
                            ("preferences.changed", "Preferences for messages changed"),
                            ("deputy.appointed", "Deputy appointed"),
                            ("deputy.ended", "Deputy no longer stands in"),
                            ("token.issued", "Service token issued"),
                            ("token.revoked", "Service token revoked"),
                            ("catalogue.loaded", "Catalogue loaded"),
                            ("release.withdrawn", "Release withdrawn"),
                            ("manifest.accepted", "Manifest accepted"),
                            ("snapshot.sealed", "Snapshot sealed"),
                            ("profile.applied", "Profile applied"),
                            ("policy.drafted", "Policy version drafted"),
                            ("policy.applied", "Policy version put in force"),
                            ("policy.paused", "Policy paused"),
                            ("policy.resumed", "Policy resumed"),
                            ("policy.retired", "Policy retired"),
                            (
                                "target.moved",
                                "Version wanted everywhere moved to what the most tenants reach",
                            ),
                            ("findings.changed", "Findings opened or closed"),
                            ("conflict.found", "Conflict found"),
                            ("conflict.decided", "Conflict decided"),
                            ("conflict.closed", "Conflict no longer there"),
                            ("conflict.reopened", "Decision on a conflict taken back"),
                            ("exemption.requested", "Exemption requested"),
                            ("exemption.approved", "Exemption approved"),
                            ("exemption.rejected", "Exemption rejected"),
                            ("exemption.revoked", "Exemption revoked"),
                            ("exemption.expired", "Exemption expired"),
                            ("simulation.run", "Simulation run"),
                            ("simulation.applied", "Simulation applied"),
                            ("run.started", "Run started"),
                            ("run.finished", "Run finished"),
                            ("plan.drafted", "Plan drafted"),
                            ("plan.simulated", "Plan simulated"),
                            ("plan.approved", "Plan approved"),
                            ("plan.started", "Plan started"),
                            ("plan.refused", "Plan refused: the world moved"),
                            ("plan.paused", "Plan paused"),
                            ("plan.resumed", "Plan resumed"),
                            ("plan.cancelled", "Plan cancelled"),
                            ("plan.ring_opened", "Next ring of a plan begun"),
                            ("plan.completed", "Plan completed"),
                            ("plan.rolled_back", "Plan rolled back"),
                            ("window.agreed", "Maintenance window agreed"),
                            ("window.ended", "Maintenance window ended"),
                            ("freezes.applied", "Freeze calendar applied"),
                            ("task.changed", "Upgrade task moved on"),
                            ("task.prioritised", "Upgrade task moved within the queue"),
                            ("task.corrected", "Upgrade done by hand"),
                            ("task.received", "Upgrade plan received"),
                            ("snapshot.restored", "Snapshot restored as the wanted state"),
                            ("rollback.prepared", "Rollback prepared"),
                            ("rollback.ended", "Rollback ended, since a policy acts again"),
                            ("disagreement.repaired", "Disagreement repaired"),
                            ("notification.sent", "Notification sent"),
                            ("finding.snoozed", "Reminders of a finding put off"),
                            ("finding.acknowledged", "Finding acknowledged"),
                            ("finding.unsilenced", "Reminders of a finding wanted again"),
                            ("template.changed", "Message template changed"),
                            ("template.restored", "Message template taken back to the one that ships"),
                            ("reminder.acknowledged", "Reminder acknowledged"),
                            ("webhook.subscribed", "Webhook subscribed"),
                            ("webhook.ended", "Webhook ended"),
                            ("chat.added", "Team chat added"),
                            ("chat.language_changed", "Language of a team chat changed"),
                            ("chat.ended", "Team chat ended"),
                            ("delivery.retried", "Given-up delivery tried again"),
                            ("alert.raised", "Alert raised"),
                            ("report.built", "Report built"),
                            ("audit.received", "Audit record received"),
                        ],
                        max_length=40,
                    ),
                ),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(max_length=64)),
                ("subject_label", models.CharField(max_length=300)),
                ("tenant_id", models.BigIntegerField(null=True)),
                ("data", models.JSONField(default=dict)),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "ledger entry",
                "verbose_name_plural": "ledger entries",
                "indexes": [
                    models.Index(fields=["group_id", "-at"], name="audit_entry_group_i_d70dd0_idx"),
                    models.Index(
                        fields=["group_id", "tenant_id", "-sequence"], name="audit_entry_group_i_6cf46a_idx"
                    ),
                    models.Index(
                        fields=["subject_kind", "subject_id"], name="audit_entry_subject_db519d_idx"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group_id", "sequence"), name="entry_sequence_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("group_id", models.BigIntegerField()),
                (
                    "destination",
                    models.CharField(
                        choices=[
                            ("orchestrator", "Upgrade orchestrator"),
                            ("cancellation", "Cancelled upgrade"),
                            ("notify", "Notification service"),
                            ("audit", "Audit service"),
                            ("email", "E-mail"),
                            ("webhook", "Webhook"),
                            ("chat", "Chat"),
                        ],
                        max_length=16,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=500)),
                ("payload", models.JSONField()),
                ("idempotency_key", models.CharField(max_length=120, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("dead", "Given up")],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
                ("response", models.JSONField(null=True)),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("away", "Can’t be reached"),
                            ("full", "Takes no more"),
                            ("clock", "A clock is wrong"),
                            ("refused", "Refuses it"),
                            ("fault", "Fails on it"),
                            ("held", "Left alone for now"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "verbose_name": "outbox message",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["next_attempt_at"],
                        name="outbox_due",
                    ),
                    models.Index(fields=["group_id", "-created_at"], name="audit_outbo_group_i_373b42_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("group_id", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(default="compliance", max_length=40)),
                ("title", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("building", "Being built"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("snapshot_number", models.PositiveIntegerField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                ("requested_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("data", models.JSONField(null=True)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True)),
                ("requested_by_id", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group_id", "-created_at"], name="audit_repor_group_i_38ff9a_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group_id", "number"), name="report_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Machine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255, unique=True)),
                ("clock_ahead", models.DurationField()),
                ("commit_time", models.DurationField()),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Circuit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("group_id", models.BigIntegerField()),
                (
                    "destination",
                    models.CharField(
                        choices=[
                            ("orchestrator", "Upgrade orchestrator"),
                            ("cancellation", "Cancelled upgrade"),
                            ("notify", "Notification service"),
                            ("audit", "Audit service"),
                            ("email", "E-mail"),
                            ("webhook", "Webhook"),
                            ("chat", "Chat"),
                        ],
                        max_length=16,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=500)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("breaks", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField()),
                ("rests_until", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("away", "Can’t be reached"),
                            ("full", "Takes no more"),
                            ("clock", "A clock is wrong"),
                            ("refused", "Refuses it"),
                            ("fault", "Fails on it"),
                            ("held", "Left alone for now"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group_id", "destination", "address"), name="circuit_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("format", models.CharField(max_length=8)),
                ("name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=100)),
                ("content", models.BinaryField()),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="audit.report"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("report", "format"), name="report_file_format_once")
                ],
            },
        ),
        migrations.RunSQL(LEDGER_REFUSE, LEDGER_ALLOW),
        migrations.RunSQL(REPORTS_REFUSE, REPORTS_ALLOW),
    ]
