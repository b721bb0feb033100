"""`DurableContext`, the second argument of every durable function.

It has the methods of AWS's SDK, each of which hands over to a module of `operations/`; `map` and `parallel` are in `batches.py`, methods
that AWS does not have in `extras.py`. Every method takes its arguments in AWS's order, or with the name first as in AWS's JavaScript SDK:
`step("pay", pay)`.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar, overload

from execution_engine.core.enums import OperationSubType, OperationType
from execution_engine.core.records import OperationOptions
from execution_engine.sdk.arguments import config_of, name_first, timeouts_of, wait_of
from execution_engine.sdk.batches import ContextBatches
from execution_engine.sdk.callables import original_name
from execution_engine.sdk.config import (
    DEFAULT_CHILD,
    DEFAULT_STEP,
    CallbackConfig,
    ChildConfig,
    InvokeConfig,
    StepConfig,
    WaitForCallbackConfig,
)
from execution_engine.sdk.durations import DurationLike
from execution_engine.sdk.errors import ChildContextError, ValidationError
from execution_engine.sdk.operations.child_context import run_child
from execution_engine.sdk.operations.create_callback import Callback, run_create_callback
from execution_engine.sdk.operations.invoke import run_invoke
from execution_engine.sdk.operations.step import run_step
from execution_engine.sdk.operations.wait import run_wait
from execution_engine.sdk.operations.wait_for_callback import callback_body, raise_as_callback_error
from execution_engine.sdk.operations.wait_for_condition import run_wait_for_condition
from execution_engine.sdk.retries import as_strategy
from execution_engine.sdk.types import ExecutionContext
from execution_engine.sdk.waits import WaitForConditionConfig

T = TypeVar("T")
Body = Callable[..., T]
AsyncBody = Callable[..., Coroutine[Any, Any, T]]

_STEP = str(OperationSubType.STEP)
_WAIT = str(OperationSubType.WAIT)
_CALLBACK = str(OperationSubType.CALLBACK)
_CHILD = str(OperationSubType.RUN_IN_CHILD_CONTEXT)
_WAIT_FOR_CALLBACK = str(OperationSubType.WAIT_FOR_CALLBACK)
_WAIT_FOR_CONDITION = str(OperationSubType.WAIT_FOR_CONDITION)
_INVOKE = str(OperationSubType.CHAINED_INVOKE)
_DEFAULT_INVOKE: InvokeConfig[Any, Any] = InvokeConfig()
_DEFAULT_CALLBACK = CallbackConfig()
_DEFAULT_WAIT_FOR_CALLBACK = WaitForCallbackConfig()


class DurableContext(ContextBatches):
    """Runs durable operations for one function, or for one child context of it.

    Use a context from one thread only. Call its methods in an order that depends on nothing but the input and earlier results: on every
    replay, the n-th call of a context must be the same operation.
    """

    __slots__ = ()

    @property
    def execution_context(self) -> ExecutionContext:
        """What stays the same during an execution: its ARN."""
        return self._invocation.execution_context

    @property
    def lambda_context(self) -> Any:
        """AWS's invocation context: request id, function, remaining time, tenant."""
        return self._invocation.lambda_context

    @overload
    def step(
        self, func: AsyncBody[T] | str, name: str | AsyncBody[T] | None = None, config: StepConfig | None = None, *, retry: Any = None
    ) -> T: ...
    @overload
    def step(self, func: Body[T] | str, name: str | Body[T] | None = None, config: StepConfig | None = None, *, retry: Any = None) -> T: ...
    def step(self, func: Any, name: Any = None, config: StepConfig | None = None, *, retry: Any = None) -> Any:
        """Runs `func` and records its result; on replay returns the recorded result without running `func`.

        `func` gets a `StepContext` if it takes an argument. When it raises, it is tried again as `config.retry_strategy` or `retry` decide
        (a `RetryPolicy`, a strategy function or a preset; default: 6 attempts), with the invocation suspended in between. Raises
        `StepError` when it is not tried again. The value returned is the one read back from the recorded text, also on the first run.
        """
        body, name = name_first(func, name, "step")
        config = config_of(config, DEFAULT_STEP, "step")
        if retry is not None:
            config = replace(config, retry_strategy=as_strategy(retry))
        sub_type = config.sub_type or _STEP
        return self._perform(OperationType.STEP, sub_type, name or original_name(body), run_step, body, config)

    def wait(self, duration: DurationLike | str | None = None, name: str | DurationLike | None = None, **units: float) -> None:
        """Suspends for 1 s to 366 days: `wait(Duration.from_hours(1))`, `wait("cool-off", timedelta(days=3))`,
        `wait(seconds=300)`. Raises `ValidationError` outside the bounds, before anything is recorded."""
        seconds, name = wait_of(duration, name, units)
        self._perform(OperationType.WAIT, _WAIT, name, run_wait, seconds)

    def create_callback(
        self,
        name: str | None = None,
        config: CallbackConfig | None = None,
        *,
        timeout: DurationLike | None = None,
        heartbeat_timeout: DurationLike | None = None,
    ) -> Callback[Any]:
        """Creates an id under which somebody outside can answer; `.result()` waits for the answer.

        A timeout of 0 means none; the keywords win over `config`. A callback that failed raises in `.result()`, not here.
        """
        config = replace(config_of(config, _DEFAULT_CALLBACK, "create_callback"), **timeouts_of(timeout, heartbeat_timeout))
        options = OperationOptions(timeout=config.timeout_seconds, heartbeat=config.heartbeat_timeout_seconds)
        sub_type = config.sub_type or _CALLBACK
        return self._perform(OperationType.CALLBACK, sub_type, name, run_create_callback, options, config.serdes)

    def wait_for_callback(
        self,
        submitter: Callable[..., Any] | Callback[Any] | str,
        name: str | Callable[..., Any] | Callback[Any] | None = None,
        config: WaitForCallbackConfig | None = None,
        *,
        timeout: DurationLike | None = None,
        heartbeat_timeout: DurationLike | None = None,
        retry: Any = None,
    ) -> Any:
        """Creates a callback, runs `submitter(callback_id, context)` as a step that hands out the id, and waits for the answer.

        Returns the payload as text, unless `config.serdes` reads it. The keywords win over `config`; `retry` applies to the submitter.
        Raises `CallbackExternalError`, `CallbackTimeoutError`, or `CallbackSubmitterError` when the submitter failed and is not tried
        again.

        Given a `Callback` instead of a submitter, it waits for that one, adds no operation and decodes the payload as JSON.
        """
        if isinstance(submitter, str):
            submitter, name = name, submitter  # type: ignore[assignment]
        if isinstance(submitter, Callback):
            return submitter.json_result()
        body, name = name_first(submitter, name, "wait_for_callback")
        name = name or original_name(body)
        config = config_of(config, _DEFAULT_WAIT_FOR_CALLBACK, "wait_for_callback")
        config = replace(config, **timeouts_of(timeout, heartbeat_timeout))
        if retry is not None:
            config = replace(config, retry_strategy=as_strategy(retry))
        inside = callback_body(body, name, config)
        try:
            return self._perform(OperationType.CONTEXT, _WAIT_FOR_CALLBACK, name, run_child, inside, DEFAULT_CHILD)
        except ChildContextError as error:
            failed = error
        return raise_as_callback_error(failed)

    @overload
    def wait_for_condition(
        self,
        check: AsyncBody[T] | str,
        config: WaitForConditionConfig[T] | AsyncBody[T],
        name: str | WaitForConditionConfig[T] | None = None,
    ) -> T: ...
    @overload
    def wait_for_condition(
        self, check: Body[T] | str, config: WaitForConditionConfig[T] | Body[T], name: str | WaitForConditionConfig[T] | None = None
    ) -> T: ...
    def wait_for_condition(self, check: Any, config: Any = None, name: Any = None) -> Any:
        """Calls `check(state, context)`, which returns the next state, until `config.wait_strategy` stops; suspends between two checks.

        An exception of the check or of the strategy is not tried again: it is raised as `WaitForConditionError`.
        """
        if isinstance(check, str):
            check, config, name = config, name, check
        if not callable(check) or not isinstance(config, WaitForConditionConfig):
            raise ValidationError("wait_for_condition needs a check function and a WaitForConditionConfig")
        kind = (OperationType.STEP, _WAIT_FOR_CONDITION)
        return self._perform(*kind, name, run_wait_for_condition, check, config)

    def invoke(self, function_name: str, payload: Any = None, name: str | None = None, config: InvokeConfig[Any, Any] | None = None) -> Any:
        """Starts another function with `payload` as its input, and suspends until it has ended; returns its result.

        Raises `InvokeError` when the other execution failed, timed out or was stopped. Payload and result are JSON unless `config` has a
        serdes.
        """
        if not function_name or not isinstance(function_name, str):
            raise ValidationError(f"invoke needs a function's name, got {function_name!r}")
        arguments = (function_name, payload, config_of(config, _DEFAULT_INVOKE, "invoke"))
        return self._perform(OperationType.CHAINED_INVOKE, _INVOKE, name, run_invoke, *arguments)

    def run_in_child_context(
        self,
        func: Callable[..., T] | str,
        name: str | Callable[..., T] | None = None,
        config: ChildConfig[T] | None = None,
    ) -> T:
        """Runs `func(child_context)` and records its result as one operation; operations that `func` calls are recorded below it.

        A result above 256 KiB is not stored: on replay, `func` runs again over its recorded operations. Raises `ChildContextError` when
        `func` raises.
        """
        body, name = name_first(func, name, "run_in_child_context")
        config = config_of(config, DEFAULT_CHILD, "run_in_child_context")
        sub_type = config.sub_type or _CHILD
        result: T = self._perform(OperationType.CONTEXT, sub_type, name or original_name(body), run_child, body, config)
        return result

    def _child(self, prefix: str, *, parent_id: str | None, is_replaying: bool, is_pinned: bool) -> "DurableContext":
        child = DurableContext(self._invocation, parent_id, prefix, is_replaying=is_replaying)
        child._adopt(self, is_pinned=is_pinned)
        return child
