"""Executions and callbacks for tests of the doors, written by the journal itself, without a worker."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.identifiers import operation_id
from execution_engine.core.records import OperationOptions, OperationUpdate
from execution_engine.core.transitions import callback
from execution_engine.journal import claims, connections, functions, store, tokens
from execution_engine.journal.claims import Claimer
from execution_engine.journal.tokens import Token
from execution_engine.models import Operation
from execution_engine.sdk.registry import describe
from execution_engine.services import executions


def echo(event: Any, context: Any) -> Any:
    """Answers what it was given."""
    return event


def register_function(name: str = "echo") -> str:
    """Writes the rows of a function as a worker would, and answers its name."""
    definition = describe(echo)
    with transaction.atomic(), connection.cursor() as cursor:
        functions.register(cursor, Named(definition, name))
    return name


class Named:
    """A definition under another name."""

    def __init__(self, definition: Any, name: str) -> None:
        self.definition = definition
        self.name = name
        self.version = "1"

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.definition, attribute)


def open_callback(execution_id: UUID, name: str = "manager", *, timeout: int = 0, heartbeat: int = 0) -> str:
    """Lets the execution wait for a callback, and answers the callback's id."""
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        update = OperationUpdate(
            id=operation_id(None, locked.record.event_seq),
            type=OperationType.CALLBACK,
            action=OperationAction.START,
            sub_type="Callback",
            name=name,
            options=OperationOptions(timeout=timeout, heartbeat=heartbeat),
        )
        moved = callback.apply(None, update, locked.now)
        store.write(
            cursor, locked, locked.record, moved.events, {update.id: replace(moved.record, start_event=locked.record.event_seq + 1)}
        )
    assert moved.record.callback_id
    return moved.record.callback_id


def callback_row(callback_id: str) -> dict[str, Any]:
    return Operation.objects.filter(callback_id=callback_id).values().get()


def claim_outside(function: str, count: int = 1, *, seconds: int = 3600) -> list[tuple[str, str]]:
    """Starts executions and claims them as a worker does that calls a function outside: ARN and first checkpoint token of each."""
    register_function(function)
    started = {one.id: one.arn for one in executions.start_executions(function, ["{}"] * count)}
    with connection.cursor() as cursor:
        version = functions.find_version(cursor, function, "1").id
    with connections.connect("test") as own:
        found = claims.claim(own, Claimer(versions=[version], worker=uuid4(), limit=count, claim_seconds=seconds))
    return [
        (started[one.execution_id], tokens.issue(Token(one.execution_id, one.claim_id, one.checkpoint_seq, one.wake_seq, one.wake_seq)))
        for one in found
    ]
