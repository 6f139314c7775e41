from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0026_where_ways_out_lead")]

    operations = [
        # Half of each page was too little: with its target and reason a finding is two thirds longer, so that
        # every third one left its page when it was decided, and had to be added to all indexes again. It took
        # the same room in the end.
        migrations.RunSQL(
            "ALTER TABLE governance_finding SET (fillfactor = 35)",
            "ALTER TABLE governance_finding SET (fillfactor = 50)",
        ),
    ]
