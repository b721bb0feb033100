"""What `fn.start()`, `fn.run()` and handles do: the SDK's `Launcher`, bound when the app is ready."""

import atexit
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import CommandError, ExecutionNotFoundError
from execution_engine.core.records import ErrorObject
from execution_engine.journal import functions
from execution_engine.journal.bell import process_bell
from execution_engine.journal.claims import Claim
from execution_engine.journal.statements import statement
from execution_engine.sdk import ports
from execution_engine.sdk.durations import to_seconds
from execution_engine.sdk.errors import ExecutionFailedError
from execution_engine.sdk.registry import find_function
from execution_engine.selectors.executions import get_execution
from execution_engine.services import executions, signals
from execution_engine.services.executions import StartedExecution, StartOptions
from execution_engine.worker.runtime import Runtime

FIRST_LOOK_SECONDS = 0.003
NEXT_LOOK_SECONDS = 0.0015
LATER_AFTER_SECONDS = 0.01
LONGEST_LOOK_SECONDS = 0.1
"""A caller that waits asks every NEXT_LOOK_SECONDS while an execution of a step or two may be ending, then less and less often."""


class InTransactionError(CommandError):
    """`fn.run()` was called inside `transaction.atomic()`, where its checkpoints could not become durable."""

    code = "in_transaction"


@dataclass(frozen=True, slots=True)
class Handle:
    """A started execution. Every method asks the database; nothing is cached."""

    id: UUID
    arn: str
    name: str
    created: bool

    def status(self) -> ExecutionStatus:
        """The status now. Raises `ExecutionNotFoundError` once the execution was purged."""
        return ExecutionStatus(self._look()[0])

    def result(self, timeout: Any = None) -> Any:
        """Waits for the end and returns the decoded result. `timeout` in any spelling of a duration; None waits for ever.

        Raises `ExecutionFailedError` when the execution did not succeed, `TimeoutError` when it is not over in time; its text says what the
        execution waits for.
        """
        began, pause = time.monotonic(), FIRST_LOOK_SECONDS
        ends = None if timeout is None else began + to_seconds(timeout)
        while True:
            time.sleep(pause)  # before the first look as well: after a start, the bell's thread has to run first
            is_later = time.monotonic() - began > LATER_AFTER_SECONDS
            pause = min(pause * 1.3, LONGEST_LOOK_SECONDS) if is_later else NEXT_LOOK_SECONDS
            found, result, error_text = self._look()
            status = ExecutionStatus(found)
            if status.is_terminal:
                break
            if ends is not None and time.monotonic() >= ends:
                raise TimeoutError(f"execution {self.name} is still {status}: {get_execution(self.id).summary.state.sentence}")
        if status is ExecutionStatus.SUCCEEDED:
            return _value(result)
        error = ErrorObject() if error_text is None else ErrorObject.from_wire(json.loads(error_text))
        raise ExecutionFailedError(error.message or str(status), error_type=error.type, status=status, error=error)

    def _look(self) -> tuple[Any, ...]:
        """Status, result and error. Plain SQL: a waiting caller that compiled a query each time would take the worker's time."""
        with connection.cursor() as cursor:
            cursor.execute(statement("read_outcome"), {"id": self.id})
            found: tuple[Any, ...] | None = cursor.fetchone()
        if found is None:
            raise ExecutionNotFoundError(f"there is no execution {self.id}", execution_id=str(self.id))
        return found

    def stop(self, reason: str = "") -> None:
        """Stops the execution with `reason` as its error message. Raises `ExecutionEndedError`, `ExecutionNotFoundError`."""
        executions.stop_execution(self.id, ErrorObject(message=reason) if reason else None)

    def signal(self, name: str, payload: Any = None) -> None:
        """Sends a signal with a payload that JSON can write. Raises `ExecutionEndedError`, `ExecutionNotFoundError`."""
        signals.send_signal(self.id, name, json.dumps(payload))


class Client:
    """`sdk.ports.Launcher` over the engine's services."""

    def start(
        self,
        function: str,
        input_text: str | None,
        *,
        version: str | None = None,
        name: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        concurrency_key: str | None = None,
        priority: int | None = None,
    ) -> ports.ExecutionHandle:
        options = StartOptions(attributes, concurrency_key=concurrency_key, priority=priority)
        return _handle(executions.start_execution(function, input_text, version=version, name=name, options=options))

    def start_many(self, function: str, input_texts: Sequence[str | None], *, version: str | None = None) -> list[ports.ExecutionHandle]:
        return [_handle(started) for started in executions.start_executions(function, input_texts, version=version)]

    def run(self, function: str, input_text: str | None, *, version: str | None = None, name: str | None = None) -> ports.ExecutionHandle:
        """Inserts the execution already claimed and runs it on this thread until its end or first suspension.

        A function with limits waits for its turn like any other start: the workers run it.
        """
        if connection.in_atomic_block:
            raise InTransactionError("fn.run() commits as it goes: call it outside transaction.atomic(), or use fn.start()")
        runtime, claim_id = _local_runtime(), uuid4()
        options = StartOptions(claim_id=claim_id, claimed_by=runtime.boot_id)
        started = executions.start_execution(function, input_text, version=version, name=name, options=options)
        if started.is_claimed:
            runtime.run_here(_claim(runtime, function, started, claim_id, input_text))
        return _handle(started)


@cache
def _local_runtime() -> Runtime:
    """The writer and keeper of a process that runs its own executions; started with the first `fn.run()`."""
    runtime = Runtime(engine_settings(), process_bell(), serves=False)
    runtime.start()
    atexit.register(stop_local_runtime)
    return runtime


def stop_local_runtime() -> None:
    """Ends the threads and connections that `fn.run()` needed; the next call starts them again."""
    if _local_runtime.cache_info().currsize:
        _local_runtime().stop()
        _local_runtime.cache_clear()
        _version_id.cache_clear()


@cache
def _version_id(function: str, version: str) -> int:
    with connection.cursor() as cursor:
        return functions.find_version(cursor, function, version).id


def _claim(runtime: Runtime, function: str, started: StartedExecution, claim_id: UUID, input_text: str | None) -> Claim:
    """The claim that the insert made, as a claim statement would have answered it."""
    version_id = _version_id(function, started.version)
    known = find_function(function, started.version)
    assert known is not None and started.started_at is not None
    runtime.versions = {**runtime.versions, version_id: known}
    runtime.clock.set(started.started_at)
    return Claim(
        execution_id=started.id,
        version_id=version_id,
        name=started.name,
        started_at=started.started_at,
        deadline_at=_deadline(started.started_at, known.execution_timeout),
        claim_id=claim_id,
        invocation_id=claim_id,
        invocation_started_at=started.started_at,
        invocations=1,
        failed_invocations=0,
        event_seq=1,
        checkpoint_seq=0,
        wake_seq=0,
        told_seq=-1,
        tenant_id=None,
        runs_alone=False,
        has_parent=False,
        input=input_text,
        now=started.started_at,
    )


def _deadline(started_at: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else started_at + timedelta(seconds=seconds)


def _handle(started: StartedExecution) -> Handle:
    return Handle(started.id, started.arn, started.name, started.created)


def _value(result: str | None) -> Any:
    """The decoded result. A remote handler may answer a text that is not JSON; then the text itself is the result."""
    try:
        return json.loads(result) if result else None
    except (ValueError, RecursionError):
        return result
