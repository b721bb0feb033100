"""Durable functions of the fault tests. Each body first writes into a ledger, on a connection that the engine knows nothing of."""

import os
import threading
import time
from typing import Any

import psycopg

from execution_engine import DurableContext, durable_execution

STEPS = 10
_here = threading.local()


def note(request_id: str, name: str, step: int) -> int:
    """One row per begun body; answers its number."""
    connection = getattr(_here, "connection", None)
    if connection is None or connection.closed:
        connection = _here.connection = psycopg.connect(os.environ["CRASH_LEDGER_URL"], autocommit=True)
    row = connection.execute(
        "insert into crash_ledger (execution, step, request_id, pid) values (%s, %s, %s, %s) returning id",
        (name, step, request_id, os.getpid()),
    ).fetchone()
    assert row is not None
    return int(row[0])


@durable_execution(name="crash-ten")
def crash_ten(event: dict[str, Any], context: DurableContext) -> list[int]:
    """Ten steps of `event["milliseconds"][step]` each; answers the ledger's numbers that the journal remembers."""
    request_id = context.lambda_context.aws_request_id

    def body(place: int) -> int:
        number = note(request_id, event["name"], place)
        time.sleep(event["milliseconds"][place] / 1000)
        return number

    return [context.step(lambda place=place: body(place), name=f"step-{place}") for place in range(STEPS)]
