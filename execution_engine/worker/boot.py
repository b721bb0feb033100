"""How a Celery worker becomes a worker of durable functions: signals of its parent and of its prefork children.

The parent checks what cannot work (other pools, time limits, recycled children, too few connections) before anything starts; each
child starts one runtime after the fork and drains it at the end.
"""

import atexit
import gc
import logging
from typing import Any

import psycopg
from billiard.process import current_process
from celery import signals
from django.db import connections as django_connections

from execution_engine.conf import EngineSettings, engine_settings
from execution_engine.journal import connections
from execution_engine.journal.bell import process_bell
from execution_engine.worker import output, processes
from execution_engine.worker.kept_lines import KeptLines
from execution_engine.worker.runtime import Runtime

logger = logging.getLogger(__name__)

OWN_CONNECTIONS = 10
"""Writer, slow path, pump, listener, keeper, courier, bell; chores and Django's for them; kept lines."""

COLLECT_AFTER = 20_000
"""New container objects between two looks for cycles (Python's default is 700); about one look per hundred steps."""

_runtime: Runtime | None = None
_kept_lines: KeptLines | None = None


def current_runtime() -> Runtime | None:
    """The runtime of this worker child; None in every other process."""
    return _runtime


def connect_signals() -> None:
    """Called by the app's `ready()`; does nothing in a process that is no Celery worker."""
    signals.worker_init.connect(_check_worker, weak=False)
    signals.worker_init.connect(_replace_children_without_broker, weak=False)
    signals.worker_process_init.connect(_start_child, weak=False)
    signals.worker_process_shutdown.connect(_stop_child, weak=False)


def _check_worker(sender: Any = None, **_: Any) -> None:
    """Refuses in the parent, by `SystemExit` with a sentence, what its children could not work with."""
    settings = engine_settings()
    pool = getattr(sender.pool_cls, "__module__", str(sender.pool_cls))
    refusals = [
        ("prefork" not in pool, f"durable functions need Celery's prefork pool, not {pool}: start with --pool prefork"),
        (sender.time_limit or sender.soft_time_limit, "Celery's time limits would kill every execution of a child: use invocation_timeout"),
        (sender.max_tasks_per_child, "--max-tasks-per-child ends children with executions in flight: leave it out"),
        (sender.max_memory_per_child, "--max-memory-per-child ends children with executions in flight: leave it out"),
    ]
    wrong = [sentence for is_wrong, sentence in refusals if is_wrong]
    if wrong:
        raise SystemExit("\n".join(wrong))
    _check_connections(settings, int(sender.concurrency or 1))


def _check_connections(settings: EngineSettings, children: int) -> None:
    needed = children * (min(settings.DJANGO_POOL, settings.THREADS) + OWN_CONNECTIONS)
    try:
        with connections.connect("check") as connection:
            row = connection.execute(
                "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
            ).fetchone()
    except psycopg.OperationalError as error:
        logger.warning("the database does not answer yet, its connections cannot be counted: %s", error)
        return
    available = row[0] if row else 0
    if needed > available:
        raise SystemExit(
            f"{children} children need up to {needed} PostgreSQL connections and the server allows {available}: lower --concurrency or "
            "DURABLE_EXECUTION['DJANGO_POOL'], or raise max_connections"
        )


def _replace_children_without_broker(sender: Any = None, **_: Any) -> None:
    """While the parent waits for its broker its event loop stands still, and nobody would notice a dead child for as long.

    Celery calls `maybe_shutdown` each second of that wait, on the parent's main thread: the pool is looked after on the same occasion.
    """
    from celery.worker.consumer import consumer  # slow to import, and only a worker's parent needs it

    maybe_shutdown = consumer.maybe_shutdown

    def look_after_pool() -> None:
        maybe_shutdown()
        pool = getattr(sender.pool, "_pool", None)
        if pool is not None:
            pool.maintain_pool()

    consumer.maybe_shutdown = look_after_pool


def _start_child(**_: Any) -> None:
    global _runtime, _kept_lines
    settings = engine_settings()
    processes.end_with_parent()
    _leave_the_pool_open()
    django_connections.close_all()
    _kept_lines = output.capture(settings)
    _runtime = Runtime(settings, process_bell(), order=getattr(current_process(), "index", 0))
    _spare_the_collector()
    _runtime.start()
    atexit.register(_stop_child)


def _spare_the_collector() -> None:
    """Histories are many small values that live as long as their execution: with Python's defaults the collector of cycles walks
    over all of them, and over everything that was imported, again and again; with 10,000 items it took half of a replay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def _stop_child(**_: Any) -> None:
    global _runtime
    runtime, _runtime = _runtime, None
    if runtime is None:
        return
    try:
        runtime.stop()
    except psycopg.Error as error:
        logger.warning("could not hand back the claims, they end by themselves: %s", error)
    if _kept_lines is not None:
        _kept_lines.stop()


def _leave_the_pool_open() -> None:
    """Celery's Django fix-up closes the process's connection pool around every task; handler threads are using that pool."""
    for name in ("task_prerun", "task_postrun"):
        signal = getattr(signals, name)
        for receiver in list(signal.receivers or ()):
            found = receiver[1]() if callable(receiver[1]) and not hasattr(receiver[1], "__self__") else receiver[1]
            if getattr(found, "__func__", found).__module__ == "celery.fixups.django":
                signal.disconnect(found)
    signals.task_postrun.connect(_give_back_connections, weak=False)


def _give_back_connections(**_: Any) -> None:
    for connection in django_connections.all(initialized_only=True):
        connection.close()
