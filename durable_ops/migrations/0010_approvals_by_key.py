from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import migrations, models


def fill(apps: Any, _: Any) -> None:
    """Names as they are now; a person who is gone keeps none, and nobody takes their place."""
    app, model = settings.AUTH_USER_MODEL.split(".")
    users = apps.get_model(app, model)
    keys = {name: str(key) for name, key in users._base_manager.values_list(get_user_model().USERNAME_FIELD, "pk").iterator()}
    for row in apps.get_model("durable_ops", "Assignee").objects.filter(kind="user").iterator():
        row.user_key = keys.get(row.name, "")
        row.save(update_fields=["user_key"])
    for row in apps.get_model("durable_ops", "Decision").objects.iterator():
        row.user_key = keys.get(row.by, row.by)
        row.save(update_fields=["user_key"])
    for row in apps.get_model("durable_ops", "Approval").objects.exclude(requester="").iterator():
        row.requester_key = keys.get(row.requester, "")
        row.save(update_fields=["requester_key"])


class Migration(migrations.Migration):
    """People in approvals by their primary key, what belongs to which redrive, and which mails a person wants."""

    dependencies = [("durable_ops", "0009_batches_and_views"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="MailPreference",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("requests", models.BooleanField(default=True, help_text="when an approval is put to them, also by escalation")),
                ("reminders", models.BooleanField(default=True, help_text="when an approval still waits")),
            ],
            options={"db_table": "durable_ops_mail_preference", "default_permissions": ()},
        ),
        migrations.AddField(
            "approval",
            "redrive_count",
            models.PositiveIntegerField(
                default=0, help_text="of the execution when it was asked; mails and decisions of before count no more"
            ),
        ),
        migrations.AddField(
            "approval",
            "requester_key",
            models.TextField(default="", help_text="primary key of the user who asked, as text; names can change"),
        ),
        migrations.AlterField("approval", "requester", models.TextField(default="", help_text="who asked, as the author named them")),
        migrations.AddField("approvallink", "redrive_count", models.PositiveIntegerField(default=0)),
        migrations.AddField(
            "assignee",
            "user_key",
            models.TextField(default="", help_text="primary key of the user, as text: whoever takes over a name is not asked"),
        ),
        migrations.AddField("decision", "redrive_count", models.PositiveIntegerField(default=0)),
        migrations.AddField(
            "decision",
            "user_key",
            models.TextField(default="", help_text="primary key of the user, as text: nobody decides twice under two names"),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveConstraint("decision", "decision_once"),
        migrations.AddConstraint(
            "decision", models.UniqueConstraint(fields=["approval", "redrive_count", "user_key"], name="decision_once")
        ),
        migrations.AddIndex(
            "assignee",
            models.Index(fields=["user_key", "approval"], condition=models.Q(is_active=True, kind="user"), name="assignee_by_name"),
        ),
    ]
