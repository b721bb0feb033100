"""Limits of functions with the lines that they make beside the queue, and schedules."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("execution_engine", "0013_stored_replies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Limit",
            fields=[
                ("function", models.TextField(primary_key=True, serialize=False)),
                ("concurrency", models.IntegerField(help_text="executions with a claim at the same time", null=True)),
                ("per_key", models.IntegerField(help_text="of these, with the same concurrency key", null=True)),
                ("starts", models.IntegerField(help_text="first invocations per `seconds`", null=True)),
                ("seconds", models.IntegerField(db_default=1, default=1)),
                ("burst", models.IntegerField(db_default=1, default=1, help_text="first invocations at once after a quiet time")),
                (
                    "priority",
                    models.IntegerField(db_default=0, default=0, help_text="head start in the queue, seconds; a start may name its own"),
                ),
                ("revision", models.IntegerField(db_default=1, default=1, help_text="counts changes by people")),
                ("changed_at", models.DateTimeField()),
                ("turn", models.BigIntegerField(db_default=0, default=0, help_text="raised by every claim of this function")),
                ("tokens", models.FloatField(db_default=0, default=0, help_text="starts left at `tokens_at`")),
                ("tokens_at", models.DateTimeField()),
                (
                    "last_line",
                    models.TextField(db_default="", default="", help_text="the line that the last look at many of them ended with"),
                ),
            ],
            options={
                "db_table": "durable_limit",
            },
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.TextField(unique=True)),
                ("function", models.TextField()),
                ("version", models.TextField(help_text="null: the newest at each firing", null=True)),
                ("rule", models.TextField()),
                ("timezone", models.TextField(default="UTC")),
                ("input", models.TextField(null=True)),
                ("attributes", models.JSONField(default=dict)),
                ("concurrency_key", models.TextField(null=True)),
                ("priority", models.IntegerField(null=True)),
                ("overlap", models.TextField(help_text="allow, or skip while one of its executions is open")),
                ("catch_up", models.IntegerField(help_text="missed firings made up for after a down time, the latest ones")),
                ("is_paused", models.BooleanField(default=False)),
                ("anchor_at", models.DateTimeField(help_text="what intervals are counted from")),
                ("due_at", models.DateTimeField(null=True)),
                ("last_fired_at", models.DateTimeField(help_text="the moment of the last firing, not when it was made up for", null=True)),
                ("last_error", models.TextField(default="", help_text="why the last firing started nothing")),
                ("skipped", models.BigIntegerField(default=0, help_text="firings left out: one was open, or too many were missed")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField(default="")),
                ("revision", models.IntegerField(default=1)),
            ],
            options={
                "db_table": "durable_schedule",
            },
        ),
        migrations.RemoveIndex(
            model_name="execution",
            name="execution_claim_loop",
        ),
        migrations.RemoveIndex(
            model_name="execution",
            name="execution_claims_of_worker",
        ),
        migrations.AddField(
            model_name="execution",
            name="concurrency_key",
            field=models.TextField(help_text="what a limit per key counts together", null=True),
        ),
        migrations.AddField(
            model_name="execution",
            name="line",
            field=models.TextField(
                help_text="due, and out of the queue: waits for its concurrency key, or for a start (an empty text)", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("line__isnull", True)),
                fields=["function_version_id", "due_at"],
                name="execution_claim_loop",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("line__isnull", False)),
                fields=["function_version_id", "line", "due_at"],
                name="execution_lines",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("claim_id__isnull", False)), fields=["function_version_id", "claimed_by"], name="execution_claims"
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="schedule_due"),
        ),
    ]
