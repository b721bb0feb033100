"""The sealed chain over the audit log. Safe before or after deployment; entries of before are sealed by the first turns.

Adding the column rewrites the table once: a second for some hundred thousand entries.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Cast

FORWARD = """
create trigger durable_ops_audit_seal_append_only before update or delete on durable_ops_audit_seal
    for each row execute function durable_ops_refuse_audit_change();
"""
BACKWARD = "drop trigger durable_ops_audit_seal_append_only on durable_ops_audit_seal;"


class Migration(migrations.Migration):
    dependencies = [("durable_ops", "0011_access")]

    operations = [
        migrations.AddField(
            "auditentry",
            "transaction_id",
            models.BigIntegerField(
                db_default=Cast(Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
                editable=False,
                help_text="of PostgreSQL: what the chain is ordered by",
            ),
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["transaction_id", "id"], name="audit_to_seal")),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("transaction_id", models.BigIntegerField()),
                ("era", models.IntegerField(default=1)),
                ("sealed_at", models.DateTimeField()),
                (
                    "hash",
                    models.BinaryField(help_text="SHA-256 of the hash before and of every column of the entry", max_length=32),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="seal",
                        to="durable_ops.auditentry",
                    ),
                ),
            ],
            options={"db_table": "durable_ops_audit_seal", "default_permissions": ()},
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
