"""Exceptions as recorded error objects, and back.

The failure of an operation is rebuilt from its record on the first run as well, so that replay raises the same class with the same
text.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from execution_engine.core.records import ErrorObject
from execution_engine.core.serdes import SerDesError
from execution_engine.sdk.errors import (
    CallbackError,
    CallbackExternalError,
    CallbackSubmitterError,
    CallbackTimeoutError,
    ChildContextError,
    DurableOperationError,
    InvokeError,
    SignalTimeoutError,
    StepError,
    WaitForConditionError,
    type_name,
)

# AWS keeps error objects below 32 KiB; of a trace, the last lines explain the most.
STACK_TRACE_LINES = 50
STACK_TRACE_CHARACTERS = 16_000
MESSAGE_CHARACTERS = 8_000
CAUSE_FRAMES = 5
GROUP_MEMBERS = 5
_SDK = str(Path(__file__).parent)


_SERDES_ERROR = type_name(SerDesError)
Rebuild = Callable[[str | None, str | None, str | None, list[str] | None], DurableOperationError]
_REBUILT: dict[str, Rebuild] = {
    type_name(kind): kind
    for kind in (
        StepError,
        InvokeError,
        ChildContextError,
        WaitForConditionError,
        CallbackError,
        CallbackExternalError,
        CallbackTimeoutError,
        CallbackSubmitterError,
        SignalTimeoutError,
    )
}


def register_operation_error(error_cls: type[DurableOperationError], rebuild: Rebuild | None = None) -> None:
    """Registers a subclass defined elsewhere, so that it is rebuilt from its recorded type name, message, data and stack trace."""
    _REBUILT[type_name(error_cls)] = rebuild or error_cls


def error_object(error: BaseException) -> ErrorObject:
    """What is recorded of an exception. The failure of an operation keeps its fields, and its own class as the type."""
    if isinstance(error, DurableOperationError | SerDesError):
        kind = SerDesError if isinstance(error, SerDesError) else type(error)
        trace = None if error.stack_trace is None else tuple(error.stack_trace)
        return ErrorObject(message=error.message, type=type_name(kind), data=error.data, stack_trace=trace)
    return ErrorObject(message=_text(error), type=type_name(type(error)), stack_trace=_stack_trace(error))


def recorded_error(kind: type[DurableOperationError], error: ErrorObject | None) -> DurableOperationError | SerDesError:
    """The failure of an operation, rebuilt from its record; a failed serdes becomes a `SerDesError`."""
    error = error or ErrorObject()
    trace = None if error.stack_trace is None else list(error.stack_trace)
    raised = (SerDesError if error.type == _SERDES_ERROR else kind)(error.message, error.type, error.data, trace)
    raised.__cause__ = _REBUILT.get(error.type or "", DurableOperationError)(error.message, error.type, error.data, trace)
    return raised


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        # An author's __str__ may itself be broken; the failure must still be recorded.
        text = f"<{type(error).__qualname__} whose text cannot be shown>"
    return text if len(text) <= MESSAGE_CHARACTERS else text[:MESSAGE_CHARACTERS] + "..."


def _stack_trace(error: BaseException) -> tuple[str, ...] | None:
    """The last lines of the trace, without the frames of this SDK above the author's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_ours(trace):
        trace = trace.tb_next
    lines = [line.rstrip("\n") for line in (*_led_to_by(error), *traceback.format_tb(trace))][-STACK_TRACE_LINES:]
    kept: list[str] = []
    room = STACK_TRACE_CHARACTERS
    for line in reversed(lines):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return tuple(reversed(kept)) or None


def _led_to_by(error: BaseException) -> list[str]:
    """The cause of an exception, or what was being handled when it was raised; the members of a group. As Python prints them, above it."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    lines: list[str] = []
    for other in (*([] if cause is None else [cause]), *members[:GROUP_MEMBERS]):
        shown = traceback.TracebackException.from_exception(other, limit=-CAUSE_FRAMES, max_group_width=GROUP_MEMBERS)
        lines += [line[:MESSAGE_CHARACTERS] for line in shown.format()]
    return [*lines, "The above led to:"] if lines else []


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_SDK)
