"""What the operations share: calling author code, its context, and suspending."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import CoroutineType
from typing import Any, NoReturn

from execution_engine.core.enums import OperationAction
from execution_engine.core.records import OperationOptions, OperationRecord
from execution_engine.sdk import ports
from execution_engine.sdk.durations import MAX_WAIT_SECONDS
from execution_engine.sdk.errors import InvalidStateError, ValidationError
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.logger import Logger, identity
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.suspend import suspension


def operation_logger(context: ContextPosition, key: OperationKey) -> Callable[[int], Logger]:
    """Makes the logger of a running body when it is first asked for; a running body is never replaying."""

    def make(attempt: int) -> Logger:
        extra = identity(key.invocation.arn, operation_id=key.id, name=key.name, parent_id=key.parent_id, attempt=attempt)
        return context.logger.with_extra(extra, lambda: False)

    return make


def awaited(value: Any) -> Any:
    """The value of a body; a coroutine function's is run to its end on a loop of its own."""
    if type(value) is not CoroutineType:
        return value
    if not _is_in_a_loop():
        return asyncio.run(value)
    # `fn.run()` or a test inside an async program: this thread's loop is taken, so the coroutine gets a thread of its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, value).result()


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def finished(body: Callable[..., Any], *arguments: Any) -> Any:
    """The value of a body that left no transaction open: what it wrote must be committed before its end is recorded."""
    depth = ports.transaction_depth()
    value = awaited(body(*arguments))
    if ports.transaction_depth() > depth:
        raise InvalidStateError("the body left a database transaction open: what it wrote there is rolled back")
    return value


def retry_options(delay_seconds: int, what: str) -> OperationOptions:
    """The delay of a RETRY, at least 1 s. Raises `ValidationError` above 366 days."""
    if delay_seconds > MAX_WAIT_SECONDS:
        raise ValidationError(f"the delay of {what} must be at most {MAX_WAIT_SECONDS} seconds, got {delay_seconds}")
    return OperationOptions(delay=max(1, delay_seconds))


def suspend_for(key: OperationKey, record: OperationRecord) -> NoReturn:
    """Unwinds until the operation's timer is due, or until somebody outside answers when it has none."""
    raise suspension(f"{key} is {record.status}", record.due_at, (key.id,))


START = OperationAction.START
SUCCEED = OperationAction.SUCCEED
FAIL = OperationAction.FAIL
RETRY = OperationAction.RETRY

Body = Callable[..., Any]
