"""The exceptions that author code meets, under AWS's names."""

from enum import Enum

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import DurableExecutionsError, InvocationInterrupt
from execution_engine.core.records import ErrorObject


class ValidationError(DurableExecutionsError):
    """Wrong arguments of a durable call; raised before anything is recorded."""


class InvalidStateError(DurableExecutionsError):
    """An operation was attempted in a state that does not allow it."""


class OrderedLockError(DurableExecutionsError):
    """An earlier holder of an ordered lock failed."""


class PluginLoadError(DurableExecutionsError):
    """A configured plugin could not be loaded."""


class TerminationReason(Enum):
    """Why an execution or an invocation ended before its handler did, in AWS's words."""

    UNHANDLED_ERROR = "UNHANDLED_ERROR"
    INVOCATION_ERROR = "INVOCATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CHECKPOINT_FAILED = "CHECKPOINT_FAILED"
    NON_DETERMINISTIC_EXECUTION = "NON_DETERMINISTIC_EXECUTION"
    STEP_INTERRUPTED = "STEP_INTERRUPTED"
    SERIALIZATION_ERROR = "SERIALIZATION_ERROR"


class UnrecoverableError(DurableExecutionsError):
    """Base of `ExecutionError` and `InvocationError`: what a handler cannot repair by catching it."""

    default_reason = TerminationReason.UNHANDLED_ERROR

    def __init__(self, message: str, termination_reason: TerminationReason | None = None) -> None:
        super().__init__(message)
        self.termination_reason = termination_reason or self.default_reason


class ExecutionError(UnrecoverableError):
    """Ends the execution FAILED without any retry, whatever operation wraps it."""

    default_reason = TerminationReason.EXECUTION_ERROR


class NonDeterministicExecutionError(ExecutionError):
    """The code asked for another operation than the one recorded at this place; `step_id` is the operation's id."""

    default_reason = TerminationReason.NON_DETERMINISTIC_EXECUTION

    def __init__(self, message: str, step_id: str | None = None) -> None:
        super().__init__(message)
        self.step_id = step_id


class InvocationError(UnrecoverableError):
    """Fails the invocation, which is tried again, unless `is_retryable()` says no: then the execution fails."""

    default_reason = TerminationReason.INVOCATION_ERROR

    def is_retryable(self) -> bool:
        return True


class CheckpointError(InvocationError):
    """The journal refused a checkpoint; `is_client_error` means that trying again cannot help."""

    default_reason = TerminationReason.CHECKPOINT_FAILED

    def __init__(self, message: str, *, is_client_error: bool = False) -> None:
        super().__init__(message)
        self.is_client_error = is_client_error

    def is_retryable(self) -> bool:
        return not self.is_client_error


class GetExecutionStateError(CheckpointError):
    """The recorded operations could not be read."""

    default_reason = TerminationReason.INVOCATION_ERROR


class RetryableSerDesError(InvocationError):
    """A serdes failed for a passing reason: the invocation is tried again."""

    default_reason = TerminationReason.SERIALIZATION_ERROR


class StepInterruptedError(InvocationError):
    """An at-most-once step was cut off before its end was recorded; its retry strategy decides."""

    default_reason = TerminationReason.STEP_INTERRUPTED

    def __init__(self, message: str, step_id: str | None = None) -> None:
        super().__init__(message)
        self.step_id = step_id


class DurableOperationError(DurableExecutionsError):
    """A recorded failure of an operation.

    `error_type` is the class name of the original exception (fully qualified, builtins bare), `message` its text, `stack_trace` its lines.
    `__cause__` is rebuilt from the record; it is never the original object.
    """

    def __init__(
        self,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type or type_name(type(self))
        self.data = data
        self.stack_trace = stack_trace


class StepError(DurableOperationError):
    """A step failed and will not be tried again."""

    @property
    def cause_type(self) -> str:
        """The bare name of the original exception's class."""
        return self.error_type.rpartition(".")[2]


class InvokeError(DurableOperationError):
    """The invoked function failed, timed out or was stopped."""


class ChildContextError(DurableOperationError):
    """The body of a child context raised."""


class WaitForConditionError(DurableOperationError):
    """A check or its wait strategy raised, or the condition was not met within the allowed attempts."""


class CallbackError(DurableOperationError):
    """Base of every failure of a callback."""


class CallbackExternalError(CallbackError):
    """Whoever held the callback answered with a failure."""


class CallbackTimeoutError(CallbackError):
    """Nobody answered in time, or no heartbeat came in time."""


class CallbackSubmitterError(CallbackError):
    """The submitter of `wait_for_callback` failed."""


class SignalTimeoutError(CallbackTimeoutError):
    """No signal of that name came in time, and no `on_timeout` was given."""


class ApprovalTimeoutError(CallbackTimeoutError):
    """Nobody decided in time, and no `on_timeout` was given."""


class ExecutionFailedError(DurableExecutionsError):
    """The result of an execution was asked for that failed, timed out or was stopped.

    `error_type` and `message` are those of the author's exception. The text is `"<error_type>: <message>"`.
    """

    def __init__(self, message: str | None, *, error_type: str | None, status: ExecutionStatus, error: ErrorObject | None = None) -> None:
        super().__init__(": ".join(part for part in (error_type, message) if part) or str(status))
        self.message = message
        self.error_type = error_type
        self.status = status
        self.error = error
        if error is not None and error.stack_trace:
            self.add_note("In the function:\n" + "\n".join(error.stack_trace))


class OrphanedChildException(InvocationInterrupt):
    """Unwinds a branch whose parent is already recorded as ended."""

    def __init__(self, message: str, operation_id: str) -> None:
        super().__init__(message)
        self.operation_id = operation_id


class BackgroundThreadError(InvocationInterrupt):
    """Unwinds author code after the thread of an adapter that writes checkpoints has failed."""

    def __init__(self, message: str, source_exception: Exception) -> None:
        super().__init__(message)
        self.source_exception = source_exception


def type_name(kind: type[BaseException]) -> str:
    """The ErrorType on the wire: fully qualified, without a module for builtins."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
