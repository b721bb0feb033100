"""The trace and the correlation id of the call that started an execution, each found by an index of those that have one."""

from django.db import migrations, models
from django.db.models.functions import Substr


class Migration(migrations.Migration):
    dependencies = [("execution_engine", "0011_open_approvals")]

    operations = [
        migrations.AddField(
            model_name="execution",
            name="traceparent",
            field=models.TextField(help_text="W3C trace context of the call that started it, or its parent's", null=True),
        ),
        migrations.AddField(
            model_name="execution",
            name="correlation_id",
            field=models.TextField(help_text="X-Correlation-Id of the call that started it, or its parent's", null=True),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                fields=["correlation_id", "-started_at"],
                condition=models.Q(correlation_id__isnull=False),
                name="execution_correlation",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                Substr("traceparent", 4, 32),
                models.F("started_at").desc(),
                condition=models.Q(traceparent__isnull=False),
                name="execution_trace",
            ),
        ),
    ]
