from typing import Any

from django.db import migrations

from durable_ops.roles import install_roles


def install(apps: Any, _: Any) -> None:
    install_roles(apps)


class Migration(migrations.Migration):
    """The right to hand approvals of other people to somebody else."""

    dependencies = [("durable_ops", "0006_approvals")]

    operations = [
        migrations.AlterModelOptions(
            name='auditentry',
            options={'default_permissions': (), 'permissions': (('view_execution', 'Can see executions, operations, history and pending callbacks, without payloads'), ('view_payload', 'Can read inputs, results, errors and event payloads'), ('start_execution', 'Can start executions'), ('stop_execution', 'Can stop executions'), ('signal_execution', 'Can send signals to executions'), ('pause_execution', 'Can pause and resume executions'), ('redrive_execution', 'Can redrive executions that ended'), ('replace_value', 'Can replace inputs and saved results in a redrive'), ('delete_execution', 'Can delete executions that ended'), ('decide_callback', 'Can approve and reject'), ('answer_callback', 'Can answer callbacks with any result, as a program does'), ('reassign_approval', 'Can hand approvals of other people to somebody else'), ('view_audit', 'Can read the audit log'), ('manage_keys', 'Can make and revoke API keys of other people'), ('manage_prices', 'Can add prices to the price book'))},
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
