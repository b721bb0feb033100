"""Start and stop executions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionAlreadyStartedError, ExecutionBusyError
from execution_engine.core.identifiers import execution_arn, new_execution_id
from execution_engine.core.records import ErrorObject
from execution_engine.core.trace import NO_TRACE, Trace
from execution_engine.core.transitions import execution as executions
from execution_engine.invocation.versions import version_to_start
from execution_engine.journal import store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.present import present
from execution_engine.journal.statements import statement
from execution_engine.services import checks


@dataclass(frozen=True, slots=True)
class StartedExecution:
    """`created` is False when an execution of that name and input was there before; `is_claimed` when `StartOptions` claimed it."""

    id: UUID
    arn: str
    name: str
    version: str
    created: bool
    started_at: datetime | None = None
    is_claimed: bool = False


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What all executions of one start share. `claim_id` inserts them claimed by `claimed_by`, for a run in this process.

    `trace` and `client_context`, a JSON object that handlers see in their Lambda context, were checked by the door.
    """

    attributes: Mapping[str, Any] | None = None
    tenant_id: str | None = None
    started_by: str = ""
    claim_id: UUID | None = None
    claimed_by: UUID | None = None
    concurrency_key: str | None = None
    priority: int | None = None
    trace: Trace = NO_TRACE
    client_context: str | None = None


PLAIN = StartOptions()


def start_execution(
    function: str,
    input_text: str | None,
    *,
    version: str | None = None,
    name: str | None = None,
    options: StartOptions = PLAIN,
) -> StartedExecution:
    """Starts one execution of the version asked for, or of the newest.

    `input_text` is JSON text, at most `MAX_PAYLOAD_BYTES`. A `name` is unique per function across versions: the same name with the
    same input answers the execution that exists. Raises `FunctionNotFoundError`, `ExecutionAlreadyStartedError` (another input),
    `InvalidInputError`, `PayloadTooLargeError`, `ExecutionBusyError`. Rings the workers after the commit.
    """
    checks.check_payload(input_text, "input")
    checks.check_name(name)
    checks.check_attributes(options.attributes)
    checks.check_concurrency_key(options.concurrency_key)
    checks.check_priority(options.priority)
    execution_id = new_execution_id()
    chosen = name or str(execution_id)
    with connection.cursor() as cursor:  # one statement, so it needs no transaction of its own
        started = insert(cursor, function, version, [execution_id], [chosen], [input_text], options)
        if not started:
            return existing(cursor, function, chosen, input_text)
    started_at, started_version, is_claimed = started[execution_id]
    if not is_claimed:
        ring_after_commit()
    return started_execution(function, execution_id, chosen, started_at, started_version, is_claimed)


def start_executions(
    function: str, input_texts: Sequence[str | None], *, version: str | None = None, started_by: str = ""
) -> list[StartedExecution]:
    """Starts one execution per input, in one statement and one commit, named after their ids. Raises as `start_execution`."""
    for text in input_texts:
        checks.check_payload(text, "input")
    ids = [new_execution_id() for _ in input_texts]
    names = [str(execution_id) for execution_id in ids]
    with connection.cursor() as cursor:
        started = insert(cursor, function, version, ids, names, list(input_texts), StartOptions(started_by=started_by))
    ring_after_commit()
    return [started_execution(function, i, name, *started[i]) for i, name in zip(ids, names, strict=True)]


def stop_execution(execution_id: UUID, error: ErrorObject | None = None) -> datetime:
    """Ends the execution STOPPED, whatever it is doing; a running invocation is refused from now on. Children go on.

    Answers the moment of the stop. Raises `ExecutionNotFoundError`, `ExecutionEndedError`.
    """
    checks.check_error(error)
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        record = locked.record
        executions.refuse_ended(record)
        status = ExecutionStatus.TIMED_OUT if executions.is_past_deadline(record, locked.now) else ExecutionStatus.STOPPED
        stop_error = None if status is ExecutionStatus.TIMED_OUT else error
        ended = executions.end(record, status, locked.now, error=stop_error, request_id=locked.invocation_id)
        store.write_transition(cursor, locked, ended)
    if status is ExecutionStatus.TIMED_OUT:
        executions.refuse_ended(ended.record)
    return locked.now


def started_execution(function: str, execution_id: UUID, name: str, at: datetime, version: str, is_claimed: bool) -> StartedExecution:
    return StartedExecution(execution_id, _arn(function, version, name, execution_id), name, version, True, at, is_claimed)


def insert(
    cursor: store.Cursor,
    function: str,
    version: str | None,
    ids: list[UUID],
    names: list[str],
    inputs: list[str | None],
    options: StartOptions,
) -> dict[UUID, tuple[datetime, str, bool]]:
    """Moment and version of each that was started, and whether it is claimed; those whose name is taken are not there.

    One statement, unless the version is not registered yet or every name is taken. Raises FunctionNotFoundError.
    """
    settings = engine_settings()
    params = {
        "now": present(),
        "function": function,
        "version": version,
        "retention_days": settings.RETENTION_DAYS,
        "claim_seconds": 0 if options.claim_id is None else settings.CLAIM_SECONDS,
        "claim_id": options.claim_id,
        "claimed_by": options.claimed_by,
        "attributes": json.dumps(dict(options.attributes or {})),
        "tenant_id": options.tenant_id,
        "started_by": options.started_by,
        "concurrency_key": options.concurrency_key,
        "priority": options.priority,
        "traceparent": options.trace.traceparent,
        "correlation_id": options.trace.correlation_id,
        "client_context": options.client_context,
        "ids": ids,
        "names": names,
        "inputs": inputs,
    }
    cursor.execute(statement("insert_executions"), params)
    rows = cursor.fetchall()
    if not rows and ids:
        version_to_start(cursor, function, version)
        cursor.execute(statement("insert_executions"), params)
        rows = cursor.fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def existing(cursor: store.Cursor, function: str, name: str, input_text: str | None) -> StartedExecution:
    """Who has the name. Raises ExecutionAlreadyStartedError when it was started with another input, ExecutionBusyError when it was
    removed at this moment.
    """
    cursor.execute(statement("execution_by_name"), {"function": function, "name": name})
    row = cursor.fetchone()
    if row is None:
        raise ExecutionBusyError(f"the execution of {function} named {name} was removed at this moment: start again")
    execution_id, _, version, stored, status = row
    if not _is_same_json(stored, input_text):
        raise ExecutionAlreadyStartedError(
            f"{function} has an execution named {name} with another input",
            execution_id=str(execution_id),
            execution_status=status,
        )
    return StartedExecution(execution_id, _arn(function, version, name, execution_id), name, version, False)


def _is_same_json(stored: str | None, asked: str | None) -> bool:
    """Blanks and the order of keys are the writer's business: the same value is the same input."""
    if stored == asked:
        return True
    try:
        return bool(json.loads(stored or "null") == json.loads(asked or "null"))
    except ValueError:
        return False


def _arn(function: str, version: str, name: str, execution_id: UUID) -> str:
    settings = engine_settings()
    return execution_arn(settings.REGION, settings.ACCOUNT, function, version, name, execution_id)
