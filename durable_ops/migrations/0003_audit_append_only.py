"""The database itself refuses to change audit rows, whoever asks. Safe before or after deployment.

A row trigger, not one on TRUNCATE: test suites empty tables that way, and whoever may truncate may drop the trigger.
"""

from django.db import migrations

FORWARD = """
create function durable_ops_refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit rows are only ever added' using errcode = 'restrict_violation';
end
$$;
create trigger durable_ops_audit_append_only before update or delete on durable_ops_audit_entry
    for each row execute function durable_ops_refuse_audit_change();
"""
BACKWARD = """
drop trigger durable_ops_audit_append_only on durable_ops_audit_entry;
drop function durable_ops_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("durable_ops", "0002_roles")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
