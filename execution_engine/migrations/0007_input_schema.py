from django.db import migrations, models


class Migration(migrations.Migration):
    """Safe before a deployment: workers of the old release write rows without it."""

    dependencies = [
        ('execution_engine', '0006_forks'),
    ]

    operations = [
        migrations.AddField(
            model_name='functionversion',
            name='input_schema',
            field=models.TextField(db_default='', default='', help_text='JSON Schema of the input, empty when nothing is known of it'),
        ),
    ]
