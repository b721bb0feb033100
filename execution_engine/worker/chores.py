"""The duties that may block, on a thread of their own: a mail server that hangs must delay no claim and no timer."""

import logging
import threading
from typing import Any

import psycopg
from django.db import connections as django_connections

from execution_engine.journal import connections
from execution_engine.worker import duties

logger = logging.getLogger(__name__)
STOP_SECONDS = 2.0


class Chores:
    """One thread, one connection, open only while there are such duties."""

    def __init__(self, look_seconds: float) -> None:
        self._look_seconds = look_seconds
        self._is_stopping = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self._thread = threading.Thread(target=self._serve, name="durable-chores", daemon=True)

    def start(self) -> None:
        if any(duty.may_block for duty in duties.DUTIES.values()):
            self._thread.start()

    def stop(self) -> None:
        """What blocks is left to the end of the process: every duty may be cut anywhere and is done again."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _serve(self) -> None:
        while not self._is_stopping.wait(self._look_seconds):
            try:
                if self._connection is None:
                    self._connection = connections.connect("chores")
                duties.do_due(self._connection, blocking=True)
            except psycopg.Error as error:
                logger.warning("a duty lost its connection, trying again: %s", error)
                self._disconnect()
            except Exception:  # a duty of another app: its next turn must come, and the others'
                logger.exception("a duty failed; it is tried again at its next time")
            finally:
                django_connections.close_all()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
