"""Prices, the ledger of what executions used, its days, and the right to add prices. Safe before or after deployment."""

from decimal import Decimal
from typing import Any

import django.db.models.functions.datetime
from django.db import migrations, models

from durable_ops.roles import install_roles


def install(apps: Any, _: Any) -> None:
    install_roles(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('durable_ops', '0004_repair_rights'),
    ]

    operations = [
        migrations.CreateModel(
            name='CostCursor',
            fields=[
                ('name', models.TextField(primary_key=True, serialize=False)),
                ('ended_at', models.DateTimeField()),
                ('execution_id', models.UUIDField()),
            ],
            options={
                'db_table': 'durable_ops_cost_cursor',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CostDay',
            fields=[
                ('requests', models.BigIntegerField(default=0)),
                ('operations', models.BigIntegerField(default=0)),
                ('mb_ms', models.BigIntegerField(default=0)),
                ('bytes_written', models.BigIntegerField(default=0)),
                ('byte_seconds', models.DecimalField(decimal_places=0, default=Decimal('0'), max_digits=30)),
                ('retry_requests', models.BigIntegerField(default=0)),
                ('retry_operations', models.BigIntegerField(default=0)),
                ('retry_mb_ms', models.BigIntegerField(default=0)),
                ('retry_bytes_written', models.BigIntegerField(default=0)),
                ('retry_byte_seconds', models.DecimalField(decimal_places=0, default=Decimal('0'), max_digits=30)),
                ('step_attempts', models.BigIntegerField(default=0)),
                ('active_ms', models.BigIntegerField(default=0)),
                ('idle_ms', models.BigIntegerField(default=0)),
                ('pk', models.CompositePrimaryKey('day', 'function', 'version', 'status', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('function', models.TextField()),
                ('version', models.TextField()),
                ('status', models.TextField()),
                ('executions', models.BigIntegerField(default=0, help_text='ended for the first time that day')),
            ],
            options={
                'db_table': 'durable_ops_cost_day',
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='auditentry',
            options={'default_permissions': (), 'permissions': (('view_execution', 'Can see executions, operations, history and pending callbacks, without payloads'), ('view_payload', 'Can read inputs, results, errors and event payloads'), ('start_execution', 'Can start executions'), ('stop_execution', 'Can stop executions'), ('signal_execution', 'Can send signals to executions'), ('pause_execution', 'Can pause and resume executions'), ('redrive_execution', 'Can redrive executions that ended'), ('replace_value', 'Can replace inputs and saved results in a redrive'), ('delete_execution', 'Can delete executions that ended'), ('decide_callback', 'Can approve and reject'), ('answer_callback', 'Can answer callbacks with any result, as a program does'), ('view_audit', 'Can read the audit log'), ('manage_keys', 'Can make and revoke API keys of other people'), ('manage_prices', 'Can add prices to the price book'))},
        ),
        migrations.CreateModel(
            name='CostEntry',
            fields=[
                ('requests', models.BigIntegerField(default=0)),
                ('operations', models.BigIntegerField(default=0)),
                ('mb_ms', models.BigIntegerField(default=0)),
                ('bytes_written', models.BigIntegerField(default=0)),
                ('byte_seconds', models.DecimalField(decimal_places=0, default=Decimal('0'), max_digits=30)),
                ('retry_requests', models.BigIntegerField(default=0)),
                ('retry_operations', models.BigIntegerField(default=0)),
                ('retry_mb_ms', models.BigIntegerField(default=0)),
                ('retry_bytes_written', models.BigIntegerField(default=0)),
                ('retry_byte_seconds', models.DecimalField(decimal_places=0, default=Decimal('0'), max_digits=30)),
                ('step_attempts', models.BigIntegerField(default=0)),
                ('active_ms', models.BigIntegerField(default=0)),
                ('idle_ms', models.BigIntegerField(default=0)),
                ('pk', models.CompositePrimaryKey('execution_id', 'ended_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('execution_id', models.UUIDField()),
                ('ended_at', models.DateTimeField()),
                ('day', models.DateField(help_text='UTC day of the end')),
                ('month', models.DateField(help_text='first day of that month')),
                ('function', models.TextField()),
                ('version', models.TextField()),
                ('status', models.TextField()),
                ('rank', models.DecimalField(decimal_places=15, help_text='cost at the list prices of its booking, to order by', max_digits=30)),
            ],
            options={
                'db_table': 'durable_ops_cost_entry',
                'default_permissions': (),
                'indexes': [models.Index(fields=['month', 'function', '-rank'], name='cost_entry_dearest')],
            },
        ),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('book', models.TextField()),
                ('item', models.TextField()),
                ('amount', models.DecimalField(decimal_places=12, help_text='US dollars for `per` units', max_digits=24)),
                ('per', models.BigIntegerField(default=1)),
                ('valid_from', models.DateField()),
                ('source', models.TextField()),
                ('added_by', models.TextField()),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'db_table': 'durable_ops_price',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('book', 'item', 'valid_from'), name='one_price_per_day')],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
