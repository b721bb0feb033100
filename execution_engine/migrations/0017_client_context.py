from django.db import migrations, models


class Migration(migrations.Migration):
    """Without a default: no row is rewritten."""

    dependencies = [("execution_engine", "0016_failures")]

    operations = [
        migrations.AddField(
            "execution", "client_context", models.TextField(help_text="what Invoke's caller said of itself, a JSON object", null=True)
        ),
    ]
