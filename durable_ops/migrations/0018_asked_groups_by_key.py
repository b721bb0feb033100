from typing import Any

from django.db import migrations, models
from django.db.models import F


def fill(apps: Any, _: Any) -> None:
    """Groups as they are called now; one that is gone keeps no key, and no other group takes its place."""
    keys = {name: str(key) for name, key in apps.get_model("auth", "Group").objects.values_list("name", "pk")}
    assignees = apps.get_model("durable_ops", "Assignee").objects
    for name in assignees.filter(kind="group").values_list("name", flat=True).distinct():
        assignees.filter(kind="group", name=name).update(key=keys.get(name, ""))
    assignees.filter(kind="permission").update(key=F("name"))
    for row in apps.get_model("durable_ops", "Approval").objects.exclude(escalate_to=[]).only("escalate_to").iterator():
        row.escalate_to = [[keys.get(name, ""), name] for name in row.escalate_to]
        row.save(update_fields=["escalate_to"])


def forget(apps: Any, _: Any) -> None:
    for row in apps.get_model("durable_ops", "Approval").objects.exclude(escalate_to=[]).only("escalate_to").iterator():
        row.escalate_to = [name for _, name in row.escalate_to]
        row.save(update_fields=["escalate_to"])


class Migration(migrations.Migration):
    """Groups that are asked by their primary key, as users are: a question follows its group when that is renamed."""

    dependencies = [("durable_ops", "0017_batch_move_and_export"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RemoveIndex("assignee", "assignee_inbox"),
        migrations.RemoveIndex("assignee", "assignee_by_name"),
        migrations.RemoveConstraint("assignee", "assignee_once"),
        migrations.RenameField("assignee", "user_key", "key"),
        migrations.AlterField(
            "assignee",
            "key",
            models.TextField(default="", help_text="primary key of user or group as text, the permission's name; empty for who was gone"),
        ),
        migrations.AlterField(
            "approval", "escalate_to", models.JSONField(default=list, help_text="[[primary key as text, name], ...] of groups")
        ),
        migrations.RunPython(fill, forget),
        migrations.AddConstraint("assignee", models.UniqueConstraint(fields=["approval", "kind", "key", "name"], name="assignee_once")),
        migrations.AddIndex(
            "assignee",
            models.Index(fields=["kind", "key", "approval"], condition=models.Q(is_active=True), name="assignee_inbox"),
        ),
    ]
