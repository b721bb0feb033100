"""Two bells: NOTIFY and the Celery message `ring`. A ring only says "look", so losing one does no harm.

They are rung after commits that make something due, by a thread of their own: no caller and no writer ever waits for a broker, or for the
lock that a notifying commit takes. Each process rings at most 100 times a second.
"""

import logging
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import psycopg
from celery import current_app
from django.db import transaction

from execution_engine.journal.connections import connect

logger = logging.getLogger(__name__)
CHANNEL = "durable_ring"
RING_TASK = "execution_engine.ring"
QUIET_SECONDS = 0.01


class Bell:
    """One thread per process, started with the first ring and again after a fork."""

    def __init__(self, connect: Callable[..., psycopg.Connection[Any]], send: Callable[[], None] | None = None) -> None:
        self._connect = connect
        self._send = send
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._messenger: threading.Thread | None = None
        self._message = threading.Event()
        self._is_stopping = False

    def stop(self) -> None:
        """Ends the quick bell's thread and closes its connection; the next ring starts it again."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._is_stopping = True
            self._wanted.set()
            thread.join()
            self._is_stopping = False

    def ring(self) -> None:
        """Returns at once. Safe from any thread; call it after the commit."""
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._notify, name="durable-bell", daemon=True)
                self._thread.start()
            if self._send is not None and (self._messenger is None or not self._messenger.is_alive()):
                self._messenger = threading.Thread(target=self._deliver, name="durable-bell-broker", daemon=True)
                self._messenger.start()

    def _notify(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        pause = threading.Event()
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._is_stopping:
                break
            self._message.set()
            try:
                if connection is None or connection.closed:
                    connection = self._connect("bell", options="-c synchronous_commit=off")
                connection.execute(f"notify {CHANNEL}")
            except psycopg.Error as error:
                logger.debug("the bell did not ring, workers look by themselves: %s", error)
                connection = None
            pause.wait(QUIET_SECONDS)
        if connection is not None:
            connection.close()

    def _deliver(self) -> None:
        """Sends the Celery message on a thread of its own: a broker that hangs must not hold up NOTIFY."""
        pause = threading.Event()
        while True:
            self._message.wait()
            self._message.clear()
            try:
                assert self._send is not None
                self._send()
            except Exception as error:  # whatever a broker's client raises: the ring is lost, and that is harmless
                logger.debug("the broker did not take the ring, workers look by themselves: %s", error)
                pause.wait(1.0)
            pause.wait(QUIET_SECONDS)


@cache
def process_bell() -> Bell:
    """This process's bell. It always sends NOTIFY; the Celery message only where the broker is outside this process."""
    broker = str(current_app.conf.broker_url or "")
    return Bell(connect, None if broker.startswith("memory:") or not broker else _send_ring)


def ring_after_commit() -> None:
    """Rings when the caller's transaction on Django's default connection has committed; at once outside of a transaction."""
    transaction.on_commit(process_bell().ring)


def _send_ring() -> None:
    current_app.send_task(RING_TASK, retry=False, ignore_result=True, expires=5)
