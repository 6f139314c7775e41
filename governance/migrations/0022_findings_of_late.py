import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0021_finding_indexes_of_what_stays")]

    operations = [
        migrations.AddIndex(
            model_name="finding",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["opened_at"], name="finding_opened_of_late", pages_per_range=32
            ),
        ),
    ]
