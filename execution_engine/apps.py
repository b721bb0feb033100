"""The engine as a Django app."""

from django.apps import AppConfig


class ExecutionEngineConfig(AppConfig):
    name = "execution_engine"
    verbose_name = "Execution engine"
    default_auto_field = "django.db.models.BigAutoField"
