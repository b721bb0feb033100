"""The groups that the expense example asks; who is in them is an administrator's business."""

from django.db import migrations


def make_groups(apps, schema_editor):
    for name in ("managers", "finance"):
        apps.get_model("auth", "Group").objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("durable_examples", "0002_stock"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
