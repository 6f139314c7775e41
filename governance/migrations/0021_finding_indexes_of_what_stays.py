from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0020_deputies_dismissed"),
        ("tenants", "0009_language_filed"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="finding",
            name="governance__group_i_b6f795_idx",
        ),
        migrations.RemoveIndex(
            model_name="finding",
            name="governance__tenant__a81be1_idx",
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["group", "tenant"],
                name="finding_closed_by_tenant",
            ),
        ),
        # Room on each page for what its findings come to be: then they stay on it, and in the indexes as is.
        migrations.RunSQL(
            "ALTER TABLE governance_finding SET (fillfactor = 50)",
            "ALTER TABLE governance_finding RESET (fillfactor)",
        ),
    ]
