"""The engine as a Django app: binds the SDK's ports, finds durable functions, joins Celery workers."""

from importlib import import_module

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules


class ExecutionEngineConfig(AppConfig):
    name = "execution_engine"
    verbose_name = "Execution engine"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # These import models, which exist only now.
        from execution_engine.checks import check_determinism
        from execution_engine.client import Client
        from execution_engine.conf import engine_settings
        from execution_engine.sdk import ports
        from execution_engine.services import schedules
        from execution_engine.worker import boot, duties, threads

        threads.watch_connections()
        ports.bind(
            launcher=Client(),
            after_user_code=threads.give_back_connections,
            in_thread=threads.as_handler_thread,
            transaction_depth=threads.transaction_depth,
        )
        duties.register("fire-schedules", duties.Duty(1, schedules.fire_due))
        boot.connect_signals()
        register(check_determinism, "durable")
        autodiscover_modules("durable_functions")
        for module in engine_settings().FUNCTION_MODULES:
            import_module(module)
