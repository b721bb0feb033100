"""The shelf of the example shop: plenty of mugs, no unicorns."""

from django.db import migrations

SHELF = {"mug": 100_000, "notebook": 100_000, "lamp": 100_000, "unicorn": 0}


def fill_shelf(apps, schema_editor):
    item = apps.get_model("durable_examples", "StockItem")
    item.objects.bulk_create([item(sku=sku, available=available) for sku, available in SHELF.items()], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("durable_examples", "0001_tables")]

    operations = [migrations.RunPython(fill_shelf, migrations.RunPython.noop)]
