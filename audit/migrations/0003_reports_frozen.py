"""The database itself refuses to change a report that is ready, and any file of a report."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_report_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a built report never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_report_frozen BEFORE UPDATE ON audit_report
    FOR EACH ROW WHEN (OLD.status = 'ready') EXECUTE FUNCTION audit_report_refuse();
CREATE TRIGGER audit_reportfile_frozen BEFORE UPDATE ON audit_reportfile
    FOR EACH ROW EXECUTE FUNCTION audit_report_refuse();
"""

ALLOW = """
DROP TRIGGER audit_report_frozen ON audit_report;
DROP TRIGGER audit_reportfile_frozen ON audit_reportfile;
DROP FUNCTION audit_report_refuse();
"""


class Migration(migrations.Migration):
    """Triggers against UPDATE. Old reports may still be deleted when their time is over."""

    dependencies = [("audit", "0002_ledger_append_only")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
