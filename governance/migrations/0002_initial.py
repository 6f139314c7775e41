from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    """Empty: what it added is in 0001 at once, which takes a fraction of the time."""

    initial = True

    dependencies = [
        ("governance", "0001_initial"),
        ("tenants", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = []
