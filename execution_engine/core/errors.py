"""The root of every exception of the engine, and the refusals of its commands.

A refusal carries a stable `code` for programs, an HTTP-like `status` for doors, and keyword `facts` (limit, value, ids)
that a door may show. The exceptions that author code meets are in `execution_engine.sdk.errors` and share the root.
"""

from typing import Any


class DurableExecutionsError(Exception):
    """Root of all errors of durable executions."""


class CommandError(DurableExecutionsError):
    """A command was refused and changed nothing."""

    code = "invalid_request"
    status = 400

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidInputError(CommandError):
    """A value outside its bounds or shape; `facts` name the field, the limit and the value."""

    code = "invalid_input"


class PayloadTooLargeError(CommandError):
    code = "payload_too_large"
    status = 413


class FunctionNotFoundError(CommandError):
    """No worker ever registered this function, or not this version of it."""

    code = "function_not_found"
    status = 404


class ExecutionNotFoundError(CommandError):
    code = "execution_not_found"
    status = 404


class ExecutionAlreadyStartedError(CommandError):
    """The name is taken by an execution of the same function with another input; `facts["execution_id"]` names it."""

    code = "execution_already_started"
    status = 409


class ExecutionEndedError(CommandError):
    """The execution is over; `facts["execution_status"]` says how."""

    code = "execution_ended"
    status = 409


class ExecutionNotEndedError(CommandError):
    """Only an execution that is over can be redriven or deleted."""

    code = "execution_not_ended"
    status = 409


class ExecutionSucceededError(CommandError):
    """A redrive without a chosen operation: nothing failed that it could begin with."""

    code = "execution_succeeded"
    status = 409


class ExecutionNotPausedError(CommandError):
    code = "execution_not_paused"
    status = 409


class ExecutionDivergesError(CommandError):
    """The code does not fit what is recorded. `facts` hold the verdict, and each divergence as a sentence."""

    code = "execution_diverges"
    status = 409


class ExecutionChangedError(CommandError):
    """The execution changed between reading it and writing to it, several times in a row; the call may be made again."""

    code = "execution_changed"
    status = 409


class ExecutionNeededError(CommandError):
    """Another execution, a parent that waits for its end, still needs it."""

    code = "execution_needed"
    status = 409


class ScheduleNotFoundError(CommandError):
    code = "schedule_not_found"
    status = 404


class NameTakenError(CommandError):
    """Something else has this name; `facts` say what."""

    code = "name_taken"
    status = 409


class ChangedMeanwhileError(CommandError):
    """Somebody else changed it since the caller looked; `facts["revision"]` is what it is now."""

    code = "changed_meanwhile"
    status = 412


class CallbackNotFoundError(CommandError):
    code = "callback_not_found"
    status = 404


class CallbackCompletedError(CommandError):
    """Somebody answered first, or its time was over; `facts["callback_status"]` is the stored outcome."""

    code = "callback_completed"
    status = 409


class IllegalTransitionError(CommandError):
    """An update that the rules of its operation type do not allow in the recorded state."""

    code = "illegal_transition"


class InvalidParameterValueError(CommandError):
    """A checkpoint call was refused as a whole; AWS's InvalidParameterValueException."""

    code = "invalid_parameter_value"


class InvalidTokenError(InvalidParameterValueError):
    """The checkpoint token belongs to another claim, or a checkpoint has used it already: its holder can record nothing more."""

    code = "invalid_checkpoint_token"


class ExecutionBusyError(CommandError):
    """Somebody else held the execution's row, or every connection was taken, for too long. The same call may be made again."""

    code = "execution_busy"
    status = 429


class InvocationInterrupt(BaseException):
    """Unwinds author code; a BaseException, so that `except Exception` in a handler cannot swallow it."""


class ClaimLostError(InvocationInterrupt):
    """The execution was stopped, timed out or taken over: nothing more of this invocation is recorded."""
