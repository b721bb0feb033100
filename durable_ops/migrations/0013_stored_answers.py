"""Answers of REST to calls with an Idempotency-Key."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("durable_ops", "0012_audit_seals")]

    operations = [
        migrations.CreateModel(
            name="StoredAnswer",
            fields=[
                ("digest", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("body_digest", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField(default=0, help_text="0 only within the transaction that makes it")),
                ("answer", models.TextField(default="", help_text="the body, JSON, sealed by secret_text")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                "db_table": "durable_ops_stored_answer",
                "default_permissions": (),
                "indexes": [models.Index(fields=["created_at"], name="stored_answer_age")],
            },
        ),
    ]
