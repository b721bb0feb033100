from django.db import migrations, models


class Migration(migrations.Migration):
    """What was in flight when a worker child died, beside the queue. Nearly always empty: only a death writes it."""

    dependencies = [("execution_engine", "0017_client_context")]

    operations = [
        migrations.AddIndex(
            "execution",
            models.Index(condition=models.Q(("is_suspect", True)), fields=["function_version_id", "due_at"], name="execution_suspects"),
        ),
    ]
