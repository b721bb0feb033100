from django.db import migrations, models


class Migration(migrations.Migration):
    """Ended failures in the order of their end, for alerts. Small, and written only when an execution fails."""

    dependencies = [("execution_engine", "0015_schedule_last")]

    operations = [
        migrations.AddIndex(
            "execution",
            models.Index(
                condition=models.Q(("status__in", ["FAILED", "TIMED_OUT"])), fields=["ended_at", "function"], name="execution_failures"
            ),
        ),
    ]
