"""The engine's own connections to Django's default database: autocommit, prepared statements, never pooled."""

from typing import Any

import psycopg
from django.db import connections

from execution_engine.journal.arrays import register_arrays

# A write under a lock is short; who waits longer than this for a row goes back into the line instead.
LOCK_TIMEOUT_MS = 250
STATEMENT_TIMEOUT_MS = 30_000
# The keeper renews the claims of its process: a row that somebody keeps locked must not keep it from that.
KEEPER_LOCK_TIMEOUT_MS = 25
TURN_SECONDS = 0.5
"""What a duty does beside the renewals of its process: the rest is left to its next turn."""
# A process that freezes inside a transaction of the slow path must not keep its row locked until it thaws.
IDLE_IN_TRANSACTION_MS = 15_000


def connect(purpose: str, *, options: str = "") -> psycopg.Connection[Any]:
    """Opens a connection named `durable:PURPOSE` in pg_stat_activity. Raises `psycopg.OperationalError` when it cannot."""
    # Django's settings may have been read before a fork or a test database's rename: ask each time.
    params = dict(connections["default"].get_connection_params())
    for key in ("pool", "cursor_factory", "context", "prepare_threshold", "application_name"):
        params.pop(key, None)
    base = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC"
    params["options"] = " ".join(filter(None, (params.get("options", ""), base, options)))
    # What the address of the database or the settings say of these counts.
    params = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000, **params}
    connection: psycopg.Connection[Any] = psycopg.connect(
        **params, autocommit=True, application_name=f"durable:{purpose}", prepare_threshold=0
    )
    register_arrays(connection.adapters)
    return connection
