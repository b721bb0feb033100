"""Celery's doorbell. A lost, doubled or late ring is harmless: the worker looks by itself."""

from celery import shared_task

from execution_engine.journal.bell import RING_TASK
from execution_engine.worker.boot import current_runtime


@shared_task(name=RING_TASK, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery ships no types
def ring() -> None:
    """Something may be due: look now."""
    runtime = current_runtime()
    if runtime is not None and runtime.pump is not None:
        runtime.pump.ring()
