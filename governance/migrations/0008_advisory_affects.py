from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0007_rule_detected"),
    ]

    operations = [
        migrations.AddField(
            model_name="advisory",
            name="affects",
            field=models.JSONField(default=list),
        ),
    ]
