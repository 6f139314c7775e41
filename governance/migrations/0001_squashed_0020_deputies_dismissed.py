"""Everything of 0001 to 0020 at once, for a database that is new: one step for each table, not for each change.

What those did to rows that were there already isn't needed for one.
"""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("governance", "0001_initial"),
        ("governance", "0002_initial"),
        ("governance", "0003_simulation_as_a_job"),
        ("governance", "0004_rule_reached"),
        ("governance", "0005_upgrade_task_retries"),
        ("governance", "0006_upgrade_task_queue"),
        ("governance", "0007_plan_rings_and_limits"),
        ("governance", "0008_maintenance_windows"),
        ("governance", "0009_plan_approval"),
        ("governance", "0010_upgrade_task_ring"),
        ("governance", "0011_configuration_directory"),
        ("governance", "0012_messages"),
        ("governance", "0013_rollbacks_and_reconciliations"),
        ("governance", "0014_front_of_the_queue"),
        ("governance", "0015_mentions_of_what_was_told"),
        ("governance", "0016_parcels_sent_lately"),
        ("governance", "0017_reconciliation_mark"),
        ("governance", "0018_deputies_and_ways_of_rollbacks"),
        ("governance", "0019_findings_set_aside"),
        ("governance", "0020_deputies_dismissed"),
    ]

    initial = True

    dependencies = [
        ("tenants", "0006_group_follow_up"),
        ("tenants", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Inventory",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("host_version", models.CharField(blank=True, max_length=200)),
                ("plugins", models.JSONField()),
                ("size", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name_plural": "inventories",
            },
        ),
        migrations.CreateModel(
            name="Configuration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sla", models.JSONField(null=True)),
                ("order", models.JSONField(default=dict)),
                ("exemptions", models.JSONField(default=dict)),
                ("applied_at", models.DateTimeField()),
                ("applied_by_name", models.CharField(max_length=200)),
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="configuration",
                        to="tenants.group",
                    ),
                ),
                ("freezes", models.JSONField(null=True)),
                ("directory", models.JSONField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("digest", models.CharField(max_length=64)),
                ("changes", models.JSONField(default=list)),
                ("unsettled", models.JSONField(default=list)),
                ("decided_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "digest"), name="decision_situation_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("endpoint", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=200)),
                ("request_digest", models.CharField(max_length=64)),
                ("status_code", models.PositiveSmallIntegerField()),
                ("body", models.JSONField()),
                ("answered_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("token_id", "endpoint", "key"), name="idempotent_answer_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ManifestSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sandbox", "Sandbox orchestrator"),
                            ("http", "HTTP"),
                            ("folder", "Folder of files"),
                        ],
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=500)),
                ("cursor", models.BigIntegerField(default=0)),
                ("last_collected_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="manifest_sources",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "kind", "address"), name="manifest_source_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reminder", "Reminder"),
                            ("decision", "Decision needed"),
                            ("report", "Report ready"),
                            ("exemption", "Exemption"),
                            ("alert", "Alert"),
                            ("escalation", "Escalation"),
                            ("deputy", "Deputy"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=160, unique=True)),
                ("subject", models.CharField(max_length=300)),
                ("body", models.TextField()),
                ("link", models.CharField(blank=True, max_length=500)),
                ("content", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["user", "group", "-created_at"], name="governance__user_id_c8582d_idx"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Plugin",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("scheme", models.CharField(max_length=20)),
                ("is_host", models.BooleanField(default=False)),
                ("catalogued", models.BooleanField(default=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plugins",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "name"), name="plugin_name_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_host", True)),
                        fields=("group",),
                        name="plugin_one_host_a_group",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField()),
                ("document", models.JSONField()),
                (
                    "mode",
                    models.CharField(
                        choices=[("observe", "Observe"), ("remind", "Remind"), ("enforce", "Enforce")],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("group", "name"), name="profile_name_once")],
            },
        ),
        migrations.CreateModel(
            name="Selection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("document", models.JSONField()),
                ("tenants_digest", models.CharField(blank=True, max_length=64)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("group", "digest"), name="selection_once")],
            },
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("sealed_at", models.DateTimeField()),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("schedule", "Schedule"),
                            ("hand", "On request"),
                            ("endpoint", "Endpoint"),
                            ("command", "Command"),
                            ("history", "History"),
                            ("run", "Run"),
                        ],
                        max_length=10,
                    ),
                ),
                ("actor_name", models.CharField(max_length=200)),
                ("digest", models.CharField(max_length=64)),
                ("tenants", models.PositiveIntegerField()),
                ("installations", models.PositiveIntegerField()),
                ("opened", models.PositiveIntegerField()),
                ("closed", models.PositiveIntegerField()),
                ("drifting", models.PositiveIntegerField(null=True)),
                ("compliant_tenants", models.PositiveIntegerField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "-sealed_at"], name="governance__group_i_81cb87_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "number"), name="snapshot_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Told",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "news",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("told_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("held_because", models.CharField(blank=True, max_length=8)),
                ("held_until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "news told",
                "verbose_name_plural": "news told",
                "constraints": [models.UniqueConstraint(fields=("group", "user"), name="told_once")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("held_until__isnull", False)),
                        fields=["group", "held_until"],
                        name="told_held",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UpgradeOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("idempotency_key", models.CharField(max_length=200)),
                ("task_id", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("succeeded", "Said to be done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="accepted",
                        max_length=10,
                    ),
                ),
                ("steps", models.JSONField()),
                ("callback_url", models.CharField(blank=True, max_length=500)),
                ("due_at", models.DateTimeField(null=True)),
                ("detail", models.TextField(blank=True)),
                ("received_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="upgrade_orders",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "upgrade order",
                "constraints": [
                    models.UniqueConstraint(fields=("group", "idempotency_key"), name="upgrade_order_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookSubscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("url", models.URLField(max_length=500)),
                ("secret", models.CharField(max_length=200)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("group", "name"), name="webhook_name_once")],
            },
        ),
        migrations.CreateModel(
            name="MaintenanceWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("days", models.JSONField()),
                ("starts", models.TimeField()),
                ("ends", models.TimeField()),
                ("zone", models.CharField(max_length=60)),
                ("agreed_by_name", models.CharField(max_length=200)),
                ("agreed_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="windows",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "maintenance window",
            },
        ),
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reminder", "Reminder to a tenant admin"),
                            ("summary", "Summary of the group"),
                            ("decision", "Decision needed"),
                            ("escalation", "Escalation"),
                            ("alert", "Alert: a plan has paused"),
                            ("exemption", "Exemption asked for or decided"),
                            ("report", "Report ready"),
                            ("deputy", "Deputy named"),
                            ("deputy_ended", "Deputy dismissed"),
                            ("rollback", "Rollback: reassess what is wanted"),
                        ],
                        max_length=12,
                    ),
                ),
                ("language", models.CharField(choices=[("en", "English"), ("zh", "中文")], max_length=8)),
                ("subject", models.CharField(max_length=300)),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("changed_by_name", models.CharField(max_length=200)),
                ("changed_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "kind", "language"), name="message_template_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField()),
                ("actor_name", models.CharField(max_length=200)),
                ("applied", models.BooleanField()),
                ("disagreements", models.JSONField(default=list)),
                ("compared", models.JSONField(default=dict)),
                ("unanswered", models.PositiveIntegerField(default=0)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reconciliations",
                        to="tenants.group",
                    ),
                ),
                ("mark", models.JSONField(null=True)),
                ("whole", models.BooleanField(default=True)),
            ],
            options={
                "indexes": [models.Index(fields=["group", "-at"], name="governance__group_i_94d761_idx")],
            },
        ),
        migrations.CreateModel(
            name="Manifest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("observed_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("source", models.CharField(max_length=40)),
                ("complete", models.BooleanField(default=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "inventory",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.inventory",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="manifests",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant", "-observed_at", "-inventory"], name="governance__tenant__96c428_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "observed_at", "inventory"), name="manifest_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Advisory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identifier", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=500)),
                ("url", models.URLField(blank=True)),
                ("affects", models.JSONField(default=list)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="advisories",
                        to="governance.plugin",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "advisories",
                "constraints": [
                    models.UniqueConstraint(fields=("plugin", "identifier"), name="advisory_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=200)),
                ("rank", models.PositiveIntegerField()),
                ("channel", models.CharField(blank=True, max_length=40)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("security_fix", models.BooleanField(default=False)),
                ("withdrawn", models.BooleanField(default=False)),
                ("prerelease", models.BooleanField(default=False)),
                ("catalogued", models.BooleanField(default=True)),
                ("host_min", models.CharField(blank=True, max_length=200)),
                ("host_max", models.CharField(blank=True, max_length=200)),
                ("requires", models.JSONField(blank=True, default=list)),
                ("conflicts", models.JSONField(blank=True, default=list)),
                ("provides", models.JSONField(blank=True, default=list)),
                ("compiled", models.BooleanField(db_default=False, default=False)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="releases",
                        to="governance.plugin",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["plugin", "rank"], name="governance__plugin__c9901c_idx"),
                    models.Index(
                        condition=models.Q(("compiled", False)),
                        fields=["group", "plugin"],
                        name="release_uncompiled",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("plugin", "version"), name="release_version_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SelectionTenant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "selection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="governance.selection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("selection", "tenant"), name="selection_tenant_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TenantDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evaluated_at", models.DateTimeField()),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tenants",
                        to="governance.decision",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decision",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision of a tenant",
            },
        ),
        migrations.CreateModel(
            name="Parcel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("in_app", "In the console"), ("email", "E-mail"), ("chat", "Chat")],
                        max_length=8,
                    ),
                ),
                ("urgent", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("held_until", models.DateTimeField()),
                ("held_because", models.CharField(blank=True, max_length=8)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parcels",
                        to="governance.notification",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at__isnull", True)),
                        fields=["held_until"],
                        name="parcel_waiting",
                    ),
                    models.Index(fields=["channel", "user", "sent_at"], name="parcel_sent"),
                    models.Index(fields=["channel", "sent_at"], name="parcel_sent_lately"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("notification", "channel"), name="parcel_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.PositiveIntegerField()),
                ("until", models.PositiveIntegerField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.group",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="installations",
                        to="tenants.tenant",
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="installations",
                        to="governance.plugin",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="installations",
                        to="governance.release",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("until__isnull", True)),
                        fields=["group", "release"],
                        include=("tenant", "plugin"),
                        name="installation_by_release",
                    ),
                    models.Index(
                        condition=models.Q(("until__isnull", True)),
                        fields=["group", "plugin"],
                        include=("tenant", "release"),
                        name="installation_by_plugin",
                    ),
                    models.Index(fields=["group", "since"], name="governance__group_i_81fcd4_idx"),
                    models.Index(
                        condition=models.Q(("until__isnull", False)),
                        fields=["group", "until"],
                        name="installation_until",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until__isnull", True)),
                        fields=("tenant", "plugin"),
                        name="installation_one_current",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "plugin", "since"), name="installation_since_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until__isnull", True), ("until__gt", models.F("since")), _connector="OR"
                        ),
                        name="installation_until_after",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReleaseAdvisory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "advisory",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="governance.advisory"),
                ),
                (
                    "release",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="governance.release"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("release", "advisory"), name="release_advisory_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="advisory",
            name="releases",
            field=models.ManyToManyField(
                related_name="advisories", through="governance.ReleaseAdvisory", to="governance.release"
            ),
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(blank=True, max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("drafted", "Drafted"),
                            ("simulated", "Simulated"),
                            ("approved", "Approved"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                            ("refused", "Refused: the world moved"),
                            ("rolled_back", "Rolled back"),
                        ],
                        default="drafted",
                        max_length=12,
                    ),
                ),
                ("snapshot_number", models.PositiveIntegerField()),
                ("inputs_digest", models.CharField(max_length=64)),
                ("policy_versions", models.JSONField(default=list)),
                ("created_by_name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plans", to="tenants.group"
                    ),
                ),
                ("budget_since", models.DateTimeField(null=True)),
                ("failure_budget", models.PositiveSmallIntegerField(default=100)),
                ("limits", models.JSONField(default=dict)),
                ("open_ring", models.SmallIntegerField(default=0)),
                ("pause_reason", models.CharField(blank=True, max_length=1000)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approved_by_name", models.CharField(blank=True, max_length=200)),
                ("author_id", models.BigIntegerField(null=True)),
                ("needs_approval", models.BooleanField(default=False)),
                (
                    "rolls_back",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="taken_back_by",
                        to="governance.plan",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "-created_at"], name="governance__group_i_0af4da_idx")
                ],
                "constraints": [models.UniqueConstraint(fields=("group", "number"), name="plan_number_once")],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("schedule", "Schedule"),
                            ("hand", "On request"),
                            ("endpoint", "Endpoint"),
                            ("command", "Command"),
                            ("history", "History"),
                            ("run", "Run"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("acting", "Waiting for upgrade tasks"),
                            ("needs_decision", "Needs a decision"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("collect", "Collect"),
                            ("seal", "Snapshot"),
                            ("evaluate", "Evaluate"),
                            ("plan", "Plan"),
                            ("execute", "Execute"),
                            ("notify", "Notify"),
                            ("verify", "Verify"),
                            ("report", "Report"),
                            ("done", "Done"),
                        ],
                        default="collect",
                        max_length=10,
                    ),
                ),
                ("dry_run", models.BooleanField(default=False)),
                ("policy_names", models.JSONField(default=list)),
                ("snapshot_number", models.PositiveIntegerField(null=True)),
                ("figures", models.JSONField(default=dict)),
                ("started_by_name", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="tenants.group"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="runs",
                        to="governance.plan",
                    ),
                ),
                ("started_by_id", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "-started_at"], name="governance__group_i_a44665_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "number"), name="run_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("dry_run", False), ("status__in", ["running", "acting"])),
                        fields=("group",),
                        name="run_one_at_a_time",
                        violation_error_message="A run of this group is under way.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Simulation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(blank=True, max_length=200)),
                ("snapshot_number", models.PositiveIntegerField(default=0)),
                ("inputs", models.JSONField(default=dict)),
                ("inputs_digest", models.CharField(blank=True, max_length=64)),
                ("outcome", models.JSONField(default=dict)),
                ("created_by_name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="simulations",
                        to="tenants.group",
                    ),
                ),
                ("applied_at", models.DateTimeField(null=True)),
                ("applied_by_name", models.CharField(blank=True, max_length=200)),
                ("created_by_id", models.BigIntegerField(null=True)),
                ("error", models.TextField(blank=True)),
                ("findings", models.BinaryField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("holds_until", models.DateTimeField(null=True)),
                (
                    "plan",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="simulations",
                        to="governance.plan",
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("applied", "Applied"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("supposed", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "-created_at"], name="governance__group_i_cb38db_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "number"), name="simulation_number_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="plan",
            name="simulation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="simulated_plans",
                to="governance.simulation",
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="simulation_digest",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.CreateModel(
            name="UpgradeTask",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("dispatched", "Dispatched"),
                            ("accepted", "Accepted"),
                            ("running", "Running"),
                            ("verifying", "Awaiting verification"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed, to be retried"),
                            ("given_up", "Given up"),
                            ("manual", "Done by hand, to be verified"),
                            ("verify_failed", "Verify failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("steps", models.JSONField()),
                ("situation_digest", models.CharField(max_length=64)),
                ("priority", models.IntegerField(default=0)),
                ("wait_reason", models.CharField(blank=True, max_length=300)),
                ("idempotency_key", models.CharField(max_length=120, unique=True)),
                ("order_id", models.CharField(blank=True, max_length=200)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("detail", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("dispatched_at", models.DateTimeField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tasks",
                        to="governance.plan",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="upgrade_tasks",
                        to="tenants.tenant",
                    ),
                ),
                ("corrected_at", models.DateTimeField(null=True)),
                ("corrected_by_name", models.CharField(blank=True, max_length=200)),
                ("correction", models.TextField(blank=True)),
                ("earlier_orders", models.JSONField(default=list)),
                ("retry_delays", models.JSONField(default=list)),
                ("priority_because", models.JSONField(default=list)),
                ("queue_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ring", models.PositiveSmallIntegerField(default=0)),
                ("ring_wait", models.DurationField(default=datetime.timedelta)),
            ],
            options={
                "verbose_name": "upgrade task",
                "indexes": [
                    models.Index(fields=["plan", "status"], name="governance__plan_id_866b36_idx"),
                    models.Index(fields=["group", "-created_at"], name="governance__group_i_2f8d14_idx"),
                    models.Index(fields=["plan", "ring"], name="governance__plan_id_01f32c_idx"),
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "failed"])),
                        fields=["group", "queue_at", "id"],
                        name="upgrade_task_queue",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "queued",
                                    "dispatched",
                                    "accepted",
                                    "running",
                                    "verifying",
                                    "failed",
                                    "manual",
                                ],
                            )
                        ),
                        fields=("tenant",),
                        name="upgrade_task_one_unfinished",
                        violation_error_message="The tenant has an unfinished upgrade task.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Conflict",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Needs a decision"),
                            ("decided", "Decided"),
                            ("closed", "No longer there"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("explanation", models.JSONField()),
                ("ways_out", models.JSONField(default=list)),
                ("found_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("set_aside", models.JSONField(default=list)),
                ("reason", models.TextField(blank=True)),
                ("decided_by_id", models.BigIntegerField(null=True)),
                ("decided_by_name", models.CharField(blank=True, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conflicts",
                        to="tenants.group",
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="governance.plugin"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="conflicts",
                        to="governance.run",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["group", "status", "-found_at"], name="governance__group_i_4f3548_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "fingerprint"), name="conflict_fingerprint_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConflictTenant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conflict",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="touched",
                        to="governance.conflict",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conflicts",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("conflict", "tenant"), name="conflict_tenant_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[("baseline", "Baseline"), ("policy", "Policy"), ("hold", "Hold")],
                        default="policy",
                        max_length=10,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("active", "In force"),
                            ("paused", "Paused"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policies",
                        to="tenants.group",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
                "constraints": [models.UniqueConstraint(fields=("group", "name"), name="policy_name_once")],
            },
        ),
        migrations.CreateModel(
            name="Exemption",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("rule_key", models.SlugField(blank=True, max_length=100)),
                ("reason", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("revoked", "Revoked"),
                            ("expired", "Expired"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("requested_by_id", models.BigIntegerField(null=True)),
                ("requested_by_name", models.CharField(max_length=200)),
                ("requested_at", models.DateTimeField()),
                ("decided_by_id", models.BigIntegerField(null=True)),
                ("decided_by_name", models.CharField(blank=True, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_comment", models.TextField(blank=True)),
                ("name", models.SlugField(blank=True, max_length=100)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exemptions",
                        to="tenants.group",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exemptions",
                        to="tenants.tenant",
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="governance.plugin",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exemptions",
                        to="governance.policy",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["group", "status", "expires_at"], name="governance__group_i_f046f2_idx"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("starts_at"))),
                        name="exemption_expires_after_start",
                        violation_error_message="An exemption must expire after it starts.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True), ("status__in", ["requested", "approved"])
                        ),
                        fields=("group", "name"),
                        name="exemption_name_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("profile", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64)),
                ("profile_name", models.CharField(max_length=50)),
                ("author_name", models.CharField(max_length=200)),
                ("comment", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField()),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="governance.policy",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("policy", "number"), name="policy_version_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="policy",
            name="current",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="governance.policyversion",
            ),
        ),
        migrations.CreateModel(
            name="Rollback",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("snapshot_number", models.PositiveIntegerField()),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("exempt", "The tenants are exempt from them"),
                            ("pause", "They are paused"),
                            ("mixed", "Some are paused, the tenants are exempt from the others"),
                        ],
                        max_length=10,
                    ),
                ),
                ("until", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                ("policies", models.JSONField(default=list)),
                ("left_out", models.JSONField(default=list)),
                ("tenants", models.JSONField(default=list)),
                ("created_by_name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "baseline",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.policy",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rollbacks",
                        to="tenants.group",
                    ),
                ),
                (
                    "of_plan",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="rollbacks",
                        to="governance.plan",
                    ),
                ),
                (
                    "simulation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rollback",
                        to="governance.simulation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "number"), name="rollback_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                ("variant", models.CharField(blank=True, max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("range", "Version range"),
                            ("same", "Same version everywhere"),
                            ("within", "Close to the newest"),
                            ("channel", "Channel"),
                            ("min_age", "Minimum age"),
                            ("deny", "Denied"),
                            ("present", "Must be installed"),
                            ("absent", "Must not be installed"),
                            ("hold", "Hold"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "plugins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("spec", models.JSONField(default=dict)),
                ("weight", models.PositiveIntegerField(default=100)),
                (
                    "mode",
                    models.CharField(
                        choices=[("observe", "Observe"), ("remind", "Remind"), ("enforce", "Enforce")],
                        max_length=10,
                    ),
                ),
                ("severity", models.CharField(default="medium", max_length=10)),
                ("sla_days", models.PositiveIntegerField(null=True)),
                ("effective_from", models.DateTimeField(null=True)),
                ("effective_until", models.DateTimeField(null=True)),
                ("compiled_at", models.DateTimeField(null=True)),
                ("recompile_at", models.DateTimeField(null=True)),
                ("targets", models.JSONField(default=dict)),
                (
                    "contested",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("detected", models.BooleanField(default=False)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="governance.policy",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="governance.policyversion",
                    ),
                ),
                (
                    "selection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.selection",
                    ),
                ),
                ("reached", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "recompile_at"], name="governance__group_i_3fc5e5_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "key", "variant"), name="rule_key_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule_key", models.SlugField(db_index=False, max_length=100)),
                ("remove", models.BooleanField(db_default=False, default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("accepted", "Accepted (exempt)"),
                            ("set_aside", "Set aside by a decision"),
                            ("planned", "Planned"),
                            ("in_progress", "In progress"),
                            ("verifying", "Awaiting verification"),
                            ("verify_failed", "Verify failed"),
                            ("needs_decision", "Needs a decision"),
                            ("resolved", "Resolved"),
                        ],
                        default="new",
                        max_length=16,
                    ),
                ),
                ("severity", models.CharField(default="medium", max_length=10)),
                ("reason", models.TextField(blank=True, db_default="")),
                ("opened_at", models.DateTimeField()),
                ("opened_snapshot", models.PositiveIntegerField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_snapshot", models.PositiveIntegerField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "exemption",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.exemption",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.group",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="tenants.tenant",
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="governance.plugin",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="governance.policy",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.release",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.release",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.rule",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["group", "policy", "plugin"],
                        name="finding_open_by_policy",
                    ),
                    models.Index(fields=["group", "status", "due_at"], name="governance__group_i_b6f795_idx"),
                    models.Index(fields=["tenant", "-opened_at"], name="governance__tenant__a81be1_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("tenant", "plugin", "policy", "rule_key"),
                        name="finding_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at__isnull", True), ("status", "resolved"), _connector="XOR"
                        ),
                        name="finding_resolved_is_closed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Violation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plugin",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="governance.plugin",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="governance.release",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="violations",
                        to="governance.rule",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("rule", "release"), name="violation_once")],
            },
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "steps",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("need", models.CharField(blank=True, max_length=16)),
                ("told_at", models.DateTimeField()),
                (
                    "finding",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to="governance.finding",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.group",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "finding"), name="mention_once")],
            },
        ),
        migrations.CreateModel(
            name="Silence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("snoozed", "Snoozed"), ("acknowledged", "Acknowledged")], max_length=12
                    ),
                ),
                ("until", models.DateTimeField(null=True)),
                ("reason", models.CharField(max_length=1000)),
                ("said_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("severity", models.CharField(max_length=10)),
                ("target_id", models.BigIntegerField(null=True)),
                (
                    "finding",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="silences",
                        to="governance.finding",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.group"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("finding", "user"), name="silence_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "snoozed"), ("until__isnull", False)),
                            models.Q(("kind", "acknowledged"), ("until__isnull", True)),
                            _connector="OR",
                        ),
                        name="silence_snoozed_until",
                        violation_error_message="A snooze needs an end; an acknowledgement has none.",
                    ),
                ],
            },
        ),
    ]
