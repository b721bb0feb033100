"""The courier of a runtime: tells parents that their children ended. Woken by ends in this process, looks each second."""

import logging
import threading
from typing import TYPE_CHECKING, Any

import psycopg

from execution_engine.journal import children, connections

if TYPE_CHECKING:
    from execution_engine.worker.runtime import Runtime

logger = logging.getLogger(__name__)


class Courier:
    """One thread, one connection. Any worker delivers, whichever version parent and child have."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self.wake = threading.Event()
        self._is_stopping = False
        self._connection: psycopg.Connection[Any] | None = None
        self._thread = threading.Thread(target=self._serve, name="durable-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping = True
        self.wake.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._is_stopping:
            self.wake.wait(self._runtime.settings.LOOK_SECONDS)
            self.wake.clear()
            try:
                if self._connection is None:
                    self._connection = connections.connect("courier", options=f"-c lock_timeout={connections.LOCK_TIMEOUT_MS}")
                if children.deliver_due(self._connection):
                    self._runtime.ring()
                    self.wake.set()  # one look takes a hundred; the one that tells nobody is the last
            except psycopg.Error as error:
                logger.warning("the courier lost its connection, trying again: %s", error)
                self._disconnect()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
