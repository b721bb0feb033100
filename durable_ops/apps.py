"""The people's side as a Django app."""

from django.apps import AppConfig
from django.conf import settings

from execution_engine.sdk import ports


class DurableOpsConfig(AppConfig):
    name = "durable_ops"
    verbose_name = "Durable Ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        ports.bind(callback_url=decision_address)


def decision_address(callback_id: str, decision: str) -> str:
    """Where a signed-in person approves or rejects; begins with PUBLIC_URL, so that it can be mailed."""
    return f"{getattr(settings, 'PUBLIC_URL', '')}/callbacks/{callback_id}/{decision}"
