"""An event for moves to another version, and since when a version has had its fingerprint."""

from django.db import migrations, models

from execution_engine.core.enums import EventType


class Migration(migrations.Migration):
    dependencies = [("execution_engine", "0008_open_and_trouble")]

    operations = [
        migrations.AddField(
            model_name="functionversion",
            name="shaped_at",
            field=models.DateTimeField(help_text="since when it has this fingerprint and no longer another", null=True),
        ),
        migrations.AlterField(
            model_name="event",
            name="type",
            field=models.TextField(choices=[(one.value, one.value) for one in EventType]),
        ),
    ]
