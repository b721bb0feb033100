"""Which execution a schedule started last, so that a firing can be left out while it is open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("execution_engine", "0014_limits_and_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="last_execution_id",
            field=models.UUIDField(help_text="what was started last, by the clock or by hand", null=True),
        ),
    ]
