"""Answers to callbacks: how much they ask of the database."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution_engine import DurableContext, durable_execution
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError
from execution_engine.models import Operation
from execution_engine.services import callbacks


@durable_execution(name="test-answered")
def asks(event: Any, context: DurableContext) -> str | None:
    return context.create_callback(name="answer").result()


def waiting() -> str:
    handle = asks.run({})
    return str(Operation.objects.get(execution_id=handle.id, callback_id__isnull=False).callback_id)


def test_an_answer_is_a_lock_a_read_and_a_write(transactional_db: None) -> None:
    callback_id = waiting()

    with CaptureQueriesContext(connection) as queries:
        callbacks.succeed_callback(callback_id, "yes")

    asked = [query["sql"] for query in queries if query["sql"] not in ("BEGIN", "COMMIT")]
    assert [text.split()[0] for text in asked] == ["select", "select", "with"]
    assert "for no key update" in asked[0] and "for no key update" not in asked[1]
    with pytest.raises(CallbackCompletedError):
        callbacks.succeed_callback(callback_id, "again")
    with pytest.raises(CallbackNotFoundError):
        callbacks.succeed_callback(callback_id + "x", "nobody")
