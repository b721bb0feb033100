"""The people's side as a Django app."""

from django.apps import AppConfig


class DurableOpsConfig(AppConfig):
    name = "durable_ops"
    verbose_name = "Durable Ops"
    default_auto_field = "django.db.models.BigAutoField"
