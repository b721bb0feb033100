"""Room for HOT updates on rows that change with every checkpoint, eager vacuum, and no detours for payloads.

Safe before and after deployment. `fillfactor` 50 leaves a free place on the page for each row's next version, so that a
checkpoint touches no index (DESIGN: group commit).
"""

from django.db import migrations

FORWARD = """
alter table durable_execution set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table durable_operation set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
alter table durable_event set (autovacuum_vacuum_insert_scale_factor = 0.1);
"""


class Migration(migrations.Migration):
    dependencies = [("execution_engine", "0001_tables")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
