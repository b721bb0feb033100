"""The four roles that every installation begins with, as Django groups."""

from typing import Any

from django.apps.registry import Apps

from durable_ops.models.rights import RIGHT_LABELS, Right

ADMINISTRATOR = "administrator"

ROLES: dict[str, frozenset[Right]] = {
    "viewer": frozenset({Right.VIEW_EXECUTION, Right.VIEW_PAYLOAD}),
    # No answer to a callback and no replaced result: whoever repairs must not be able to approve by the back door.
    "operator": frozenset(
        {
            Right.VIEW_EXECUTION,
            Right.VIEW_PAYLOAD,
            Right.START_EXECUTION,
            Right.STOP_EXECUTION,
            Right.SIGNAL_EXECUTION,
            Right.PAUSE_EXECUTION,
            Right.REDRIVE_EXECUTION,
            Right.VIEW_AUDIT,
            Right.MANAGE_SCHEDULES,
            Right.MANAGE_LIMITS,
        }
    ),
    # An approver sees what is put before him, not every payload.
    "approver": frozenset({Right.VIEW_EXECUTION, Right.DECIDE_CALLBACK}),
    ADMINISTRATOR: frozenset(Right),
}


def install_roles(apps: Apps | Any) -> None:
    """Makes the groups and their permissions, given `django.apps.apps` or a migration's historical apps.

    Idempotent; adds what is missing and takes nothing away, so rights that an administrator gave a group stay. Django
    makes permissions only after all migrations, hence they are made here first.
    """
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="durable_ops", model="auditentry")
    permission_model = apps.get_model("auth", "Permission")
    permissions = {
        right: permission_model.objects.get_or_create(content_type=content_type, codename=right.value, defaults={"name": label})[0]
        for right, label in RIGHT_LABELS.items()
    }
    for role, rights in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(*(permissions[right] for right in sorted(rights)))
