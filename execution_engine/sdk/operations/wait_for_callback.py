"""wait_for_callback: create a callback, hand its id out in a step, wait for the answer (CONTEXT of that sub type)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from execution_engine.sdk.callables import wants_context
from execution_engine.sdk.config import StepConfig, WaitForCallbackConfig
from execution_engine.sdk.errors import CallbackError, CallbackSubmitterError, ChildContextError, StepError
from execution_engine.sdk.operations.base import Body
from execution_engine.sdk.types import StepContext, WaitForCallbackContext

if TYPE_CHECKING:
    from execution_engine.sdk.context import DurableContext


def callback_body(submitter: Body, name: str | None, config: WaitForCallbackConfig) -> Callable[["DurableContext"], Any]:
    """What runs inside the context: CALLBACK and submitter STEP, under AWS's names."""
    prefix = f"{name} " if name else ""

    def body(child: "DurableContext") -> Any:
        callback = child.create_callback(f"{prefix}create callback id", config)

        def submit(step: StepContext) -> Any:
            if not wants_context(submitter, 1):
                return submitter(callback.callback_id)
            return submitter(callback.callback_id, WaitForCallbackContext(None, step.attempt, make_logger=lambda _attempt: step.logger))

        child.step(submit, f"{prefix}submitter", StepConfig(retry_strategy=config.retry_strategy, serdes=config.serdes))
        return callback.result()

    return body


def raise_as_callback_error(error: ChildContextError) -> None:
    """Callback failures pass out of the context unchanged; a failed submitter gets its own class."""
    inner = error.__cause__
    if isinstance(inner, CallbackError):
        raise inner from inner.__cause__
    if isinstance(inner, StepError):
        raise CallbackSubmitterError(
            inner.message or "Callback submitter failed", data=inner.data, stack_trace=inner.stack_trace
        ) from inner
    raise error
