"""What people and keys do to executions: start, stop, signal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Right
from execution_engine.core.records import ErrorObject
from execution_engine.services import executions, signals
from execution_engine.services.executions import StartedExecution, StartOptions

__all__ = ["StartedExecution", "send_signal", "start_execution", "start_executions", "stop_execution"]

STOPPED_BY_PERSON = "Execution.Stopped"


def start_execution(
    actor: Actor,
    *,
    function: str,
    input: str | None,
    version: str | None = None,
    name: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    tenant_id: str | None = None,
    concurrency_key: str | None = None,
    priority: int | None = None,
    client_context: str | None = None,
) -> StartedExecution:
    """Starts an execution. `input` is JSON text, None for no input; `priority` is a head start in the queue in seconds.

    `client_context`, a JSON object, is what a caller of AWS's Invoke tells the handler about itself. Idempotent by name: the same name with
    the same input returns the execution that exists (`created` False, no audit row). Raises PermissionDenied, FunctionNotFoundError,
    ExecutionAlreadyStartedError, InvalidInputError, PayloadTooLargeError.
    """
    actor.require(Right.START_EXECUTION, function)
    with transaction.atomic():
        options = StartOptions(
            attributes,
            tenant_id,
            started_by=actor.name,
            trace=actor.trace,
            concurrency_key=concurrency_key,
            priority=priority,
            client_context=client_context,
        )
        started = executions.start_execution(function, input, version=version, name=name, options=options)
        if started.created:
            log.append(actor, start_act(function, started, input))
    return started


def start_executions(actor: Actor, *, function: str, inputs: Sequence[str | None], version: str | None = None) -> list[StartedExecution]:
    """Starts one execution for each input (JSON text or None), in order, all or none. Raises as `start_execution`."""
    actor.require(Right.START_EXECUTION, function)
    with transaction.atomic():
        started = executions.start_executions(function, inputs, version=version, started_by=actor.name)
        log.append_all(actor, [start_act(function, one, text) for one, text in zip(started, inputs, strict=True)])
    return started


def stop_execution(actor: Actor, execution_id: UUID, *, reason: str = "", error: ErrorObject | None = None) -> datetime:
    """Stops an open execution; returns when it was stopped. Its children go on.

    `error` becomes the execution's error; without one, its error says who stopped it and why. Raises PermissionDenied,
    ExecutionNotFoundError, ExecutionEndedError.
    """
    actor.require_on(Right.STOP_EXECUTION, execution_id)
    kept = error or ErrorObject(message=f"Stopped by {actor.name}{f': {reason}' if reason else ''}", type=STOPPED_BY_PERSON)
    with transaction.atomic():
        stopped_at = executions.stop_execution(execution_id, kept)
        log.append(actor, _act("execution.stop", execution_id, reason=reason, error_type=kept.type))
    return stopped_at


def send_signal(actor: Actor, execution_id: UUID, *, name: str, payload: str | None) -> None:
    """Sends a signal (JSON text or None). It is buffered until the execution waits for that name.

    Raises PermissionDenied, ExecutionNotFoundError, ExecutionEndedError, InvalidInputError, PayloadTooLargeError.
    """
    actor.require_on(Right.SIGNAL_EXECUTION, execution_id)
    with transaction.atomic():
        signals.send_signal(execution_id, name, payload, sent_by=actor.name)
        log.append(actor, _act("execution.signal", execution_id, signal=name, payload_bytes=size(payload)))


def size(text: str | None) -> int | None:
    """The size of a payload in bytes, as stored, for the audit log; None when there is none."""
    return None if text is None else len(text.encode())


def start_act(function: str, started: StartedExecution, text: str | None) -> log.Act:
    """What the audit log says about a start: the size of its input, never the input itself."""
    return _act("execution.start", started.id, function=function, version=started.version, name=started.name, input_bytes=size(text))


def _act(action: str, execution_id: UUID, *, reason: str = "", **facts: Any) -> log.Act:
    return log.Act(action, "execution", str(execution_id), execution_id=execution_id, reason=reason, facts=facts)
