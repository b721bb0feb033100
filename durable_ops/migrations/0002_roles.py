"""The groups viewer, operator, approver and administrator. Safe before or after deployment."""

from typing import Any

from django.db import migrations

from durable_ops.roles import install_roles


def install(apps: Any, _: Any) -> None:
    install_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("durable_ops", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # Going back keeps the groups: people may be members.
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
