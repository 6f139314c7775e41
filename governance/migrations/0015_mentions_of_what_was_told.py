"""Remember anew what people have been told: identities are reckoned in another way than before.

Without it everybody would hear of everything once more. A finding counts as told to its tenant's admins if
it was open when they were last told; whether it needed a person then isn't known, so that is told again.
"""

from typing import Any

from django.db import migrations

FINDINGS = """
INSERT INTO governance_mention (group_id, user_id, finding_id, steps, due_at, need, told_at)
SELECT t.group_id, t.user_id, f.id,
    array_remove(ARRAY[
        'tenant_admins:found',
        CASE WHEN f.due_at - interval '2 days' <= t.told_at THEN 'tenant_admins:-172800' END,
        CASE WHEN f.due_at <= t.told_at THEN 'tenant_admins:+0' END], NULL)::varchar[],
    f.due_at, '', t.told_at
FROM governance_told t
JOIN tenants_membership m
    ON m.user_id = t.user_id AND m.group_id = t.group_id AND m.role = 'tenant_admin'
JOIN governance_finding f ON f.group_id = t.group_id AND f.tenant_id = m.tenant_id
WHERE f.closed_at IS NULL AND f.status <> 'accepted' AND f.opened_at <= t.told_at
ON CONFLICT DO NOTHING
"""
SUMMARIES = """
UPDATE governance_told t
SET news = CASE WHEN NOT EXISTS (
    SELECT FROM tenants_membership m
    WHERE m.user_id = t.user_id AND m.group_id = t.group_id AND m.role = 'owner')
THEN '{}' ELSE ARRAY(
    SELECT hashtextextended(
        format('%s/%s/%s', f.tenant_id, f.policy_id, coalesce(f.due_at < t.told_at, false)), 0)
    FROM governance_finding f
    JOIN governance_rule r ON r.id = f.rule_id AND r.mode IN ('remind', 'enforce')
    WHERE f.group_id = t.group_id AND f.closed_at IS NULL AND f.status <> 'accepted'
        AND f.opened_at <= t.told_at
    UNION
    SELECT ('x' || left(encode(sha256(convert_to('conflict ' || c.id, 'UTF8')), 'hex'), 16))::bit(64)::bigint
    FROM governance_conflict c
    WHERE c.group_id = t.group_id AND c.found_at <= t.told_at
) END
"""


def remember(_apps: Any, schema_editor: Any) -> None:
    """All at once, in the database."""
    for statement in (FINDINGS, SUMMARIES):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_front_of_the_queue"), ("tenants", "0004_directory")]

    operations = [migrations.RunPython(remember, migrations.RunPython.noop)]
