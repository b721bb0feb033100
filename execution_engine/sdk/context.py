"""What an author's function is handed: AWS's methods, each handing over to `operations/`; ours are in `extras.py`.

Every method takes AWS's argument order, and the name first as AWS's JavaScript SDK does: `step("pay", pay)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from execution_engine.core.enums import OperationSubType, OperationType
from execution_engine.core.records import OperationOptions
from execution_engine.sdk.batch import BatchResult, batch_summary
from execution_engine.sdk.callables import original_name
from execution_engine.sdk.config import (
    DEFAULT_CHILD,
    DEFAULT_STEP,
    CallbackConfig,
    ChildConfig,
    InvokeConfig,
    MapConfig,
    ParallelBranch,
    ParallelConfig,
    StepConfig,
    WaitForCallbackConfig,
)
from execution_engine.sdk.durations import MAX_WAIT_SECONDS, DurationLike, as_duration, bounded_seconds
from execution_engine.sdk.errors import ChildContextError, ValidationError
from execution_engine.sdk.extras import ContextExtras
from execution_engine.sdk.operations.batch import run_batch
from execution_engine.sdk.operations.branch import BatchPlan
from execution_engine.sdk.operations.child_context import run_child
from execution_engine.sdk.operations.create_callback import Callback, run_create_callback
from execution_engine.sdk.operations.invoke import run_invoke
from execution_engine.sdk.operations.map import plan_map
from execution_engine.sdk.operations.parallel import plan_parallel
from execution_engine.sdk.operations.step import run_step
from execution_engine.sdk.operations.wait import run_wait
from execution_engine.sdk.operations.wait_for_callback import callback_body, raise_as_callback_error
from execution_engine.sdk.operations.wait_for_condition import run_wait_for_condition
from execution_engine.sdk.retries import as_strategy
from execution_engine.sdk.types import ExecutionContext
from execution_engine.sdk.waits import WaitForConditionConfig

T = TypeVar("T")
U = TypeVar("U")

_STEP = str(OperationSubType.STEP)
_WAIT = str(OperationSubType.WAIT)
_CALLBACK = str(OperationSubType.CALLBACK)
_CHILD = str(OperationSubType.RUN_IN_CHILD_CONTEXT)
_WAIT_FOR_CALLBACK = str(OperationSubType.WAIT_FOR_CALLBACK)
_WAIT_FOR_CONDITION = str(OperationSubType.WAIT_FOR_CONDITION)
_MAP = str(OperationSubType.MAP)
_PARALLEL = str(OperationSubType.PARALLEL)
_INVOKE = str(OperationSubType.CHAINED_INVOKE)
_DEFAULT_MAP: MapConfig[Any] = MapConfig()
_DEFAULT_PARALLEL = ParallelConfig()
_DEFAULT_INVOKE: InvokeConfig[Any, Any] = InvokeConfig()
_DEFAULT_CALLBACK = CallbackConfig()
_DEFAULT_WAIT_FOR_CALLBACK = WaitForCallbackConfig()


class DurableContext(ContextExtras):
    """The durable side of a running function. Use one context from one thread, and call in an order that depends only on
    the input and on earlier results: the n-th call of a context must be the same operation on every replay."""

    __slots__ = ()

    @property
    def execution_context(self) -> ExecutionContext:
        return self._invocation.execution_context

    @property
    def lambda_context(self) -> Any:
        """AWS's invocation context: request id, function, remaining time, tenant."""
        return self._invocation.lambda_context

    def step(
        self,
        func: Callable[..., T] | str,
        name: str | Callable[..., T] | None = None,
        config: StepConfig | None = None,
        *,
        retry: Any = None,
    ) -> T:
        """Runs `func` and records its result; on replay returns the record without running it.

        `func` gets a `StepContext` if it takes an argument. An exception is tried again as `config.retry_strategy` or
        `retry` say (`RetryPolicy`, strategy function or preset; default: 6 attempts), with the invocation suspended in
        between; then it is raised as `StepError`. The returned value is the one read back from its text.
        """
        body, name = _name_first(func, name, "step")
        if retry is not None:
            config = replace(config or DEFAULT_STEP, retry_strategy=as_strategy(retry))
        elif config is None:
            config = DEFAULT_STEP
        sub_type = config.sub_type or _STEP
        return self._perform(OperationType.STEP, sub_type, name or original_name(body), run_step, body, config)  # type: ignore[no-any-return]

    def wait(self, duration: DurationLike | str | None = None, name: str | DurationLike | None = None, **units: float) -> None:
        """Suspends for 1 s to 366 days: `wait(Duration.from_hours(1))`, `wait("cool-off", timedelta(days=3))`,
        `wait(seconds=300)`. Raises `ValidationError` outside the bounds, before anything is recorded."""
        if isinstance(duration, str) or (duration is None and name is not None and not isinstance(name, str)):
            duration, name = name, duration
        if units:
            if duration is not None:
                raise ValidationError("wait takes a duration or units such as seconds=, not both")
            duration = units
        if name is not None and not isinstance(name, str):
            raise ValidationError(f"the name of a wait is a text, got {name!r}")
        seconds = bounded_seconds(duration, "duration", low=1, high=MAX_WAIT_SECONDS)
        self._perform(OperationType.WAIT, _WAIT, name, run_wait, seconds)

    def create_callback(
        self,
        name: str | None = None,
        config: CallbackConfig | None = None,
        *,
        timeout: DurationLike | None = None,
        heartbeat_timeout: DurationLike | None = None,
    ) -> Callback[Any]:
        """Creates an id under which somebody outside answers; `.result()` waits for the answer.

        A timeout of 0 is none; the keywords win over `config`. Never raises for a callback that has failed already.
        """
        config = replace(config or _DEFAULT_CALLBACK, **_given_timeouts(timeout, heartbeat_timeout))
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
        """Creates a callback, runs `submitter(callback_id, context)` as a step that hands the id out, and waits.

        Answers the payload as text unless `config.serdes` reads it. Raises `CallbackExternalError`,
        `CallbackTimeoutError`, or `CallbackSubmitterError` when the submitter failed for good.
        The keywords win over `config`; `retry` is the submitter's.
        Given a `Callback` instead, waits for that one, adds no operation and decodes JSON.
        """
        if isinstance(submitter, str):
            submitter, name = name, submitter  # type: ignore[assignment]
        if isinstance(submitter, Callback):
            return submitter.json_result()
        body, name = _name_first(submitter, name, "wait_for_callback")
        name = name or original_name(body)
        config = config or _DEFAULT_WAIT_FOR_CALLBACK
        config = replace(config, **_given_timeouts(timeout, heartbeat_timeout))
        if retry is not None:
            config = replace(config, retry_strategy=as_strategy(retry))
        inside = callback_body(body, name, config)
        try:
            return self._perform(OperationType.CONTEXT, _WAIT_FOR_CALLBACK, name, run_child, inside, DEFAULT_CHILD)
        except ChildContextError as error:
            failed = error
        return raise_as_callback_error(failed)

    def wait_for_condition(
        self,
        check: Callable[..., T] | str,
        config: WaitForConditionConfig[T] | Callable[..., T] | None = None,
        name: str | WaitForConditionConfig[T] | None = None,
    ) -> T:
        """Runs `check(state, context) -> state` until `config.wait_strategy` stops it; suspended between two checks.

        An exception of the check or of the strategy is not tried again: it is raised as `WaitForConditionError`.
        """
        if isinstance(check, str):
            check, config, name = config, name, check  # type: ignore[assignment]
        if not callable(check) or not isinstance(config, WaitForConditionConfig):
            raise ValidationError("wait_for_condition needs a check function and a WaitForConditionConfig")
        kind = (OperationType.STEP, _WAIT_FOR_CONDITION)
        return self._perform(*kind, name, run_wait_for_condition, check, config)  # type: ignore[no-any-return,arg-type]

    def map(
        self,
        inputs: Sequence[U],
        func: Callable[..., T],
        name: str | None = None,
        config: MapConfig[U] | None = None,
    ) -> BatchResult[T]:
        """Runs `func(context, item, index, items)` for every item, each in a context of its own.

        A failed item does not raise: it stands in the result, whose `throw_if_error()` raises. By default the first failure
        ends the map; see `MapConfig`. Ids depend on the index alone.
        """
        config = config or _DEFAULT_MAP
        config.completion_config.check_total(len(inputs))
        plan = partial(plan_map, inputs, func, config)
        return self._batch(_MAP, name or original_name(func), plan, len(inputs), config)

    def parallel(
        self,
        functions: Sequence[Callable[..., T] | ParallelBranch[T]],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> BatchResult[T]:
        """Runs the functions side by side, each with a context of its own; as `map`, and by default all have to succeed."""
        if isinstance(functions, str):
            functions, name = name, functions
        config = config or _DEFAULT_PARALLEL
        config.completion_config.check_total(len(functions))
        return self._batch(_PARALLEL, name, partial(plan_parallel, functions, config), len(functions), config)

    def invoke(self, function_name: str, payload: Any = None, name: str | None = None, config: InvokeConfig[Any, Any] | None = None) -> Any:
        """Starts another function with `payload` as input and waits, suspended, for its result.

        Raises `InvokeError` with the other's error, time-out or stop. Payload and result are JSON unless `config` says else.
        """
        if not function_name or not isinstance(function_name, str):
            raise ValidationError(f"invoke needs a function's name, got {function_name!r}")
        arguments = (function_name, payload, config or _DEFAULT_INVOKE)
        return self._perform(OperationType.CHAINED_INVOKE, _INVOKE, name, run_invoke, *arguments)

    def _batch(
        self, sub_type: str, name: str | None, plan: Callable[[], BatchPlan], total: int, config: MapConfig[Any] | ParallelConfig
    ) -> BatchResult[Any]:
        summary = batch_summary(f"{sub_type}Result", config.summary_generator)
        child: ChildConfig[Any] = ChildConfig(serdes=config.serdes, summary_generator=summary)
        return self._perform(OperationType.CONTEXT, sub_type, name, run_batch, plan, total, child)

    def run_in_child_context(
        self,
        func: Callable[..., T] | str,
        name: str | Callable[..., T] | None = None,
        config: ChildConfig[T] | None = None,
    ) -> T:
        """Runs `func(child_context)` and records its result as one operation; its own operations replay below it.

        A result above 256 KiB is not stored: replay runs the body again over its recorded operations. An exception of the
        body is raised as `ChildContextError`.
        """
        body, name = _name_first(func, name, "run_in_child_context")
        config = config or DEFAULT_CHILD
        sub_type = config.sub_type or _CHILD
        return self._perform(OperationType.CONTEXT, sub_type, name or original_name(body), run_child, body, config)  # type: ignore[no-any-return]

    def _child(self, prefix: str, *, parent_id: str | None, is_replaying: bool, is_pinned: bool) -> "DurableContext":
        child = DurableContext(self._invocation, parent_id, prefix, is_replaying=is_replaying)
        child._adopt(self, is_pinned=is_pinned)
        return child


def _given_timeouts(timeout: DurationLike | None, heartbeat_timeout: DurationLike | None) -> dict[str, Any]:
    """The keywords that were given, as fields of a `CallbackConfig`."""
    given = {"timeout": timeout, "heartbeat_timeout": heartbeat_timeout}
    return {field: as_duration(value, field) for field, value in given.items() if value is not None}


def _name_first(func: Any, name: Any, method: str) -> tuple[Callable[..., Any], str | None]:
    """Sorts `(func, name)` and `("name", func)`. Raises `ValidationError` when there is no callable."""
    if isinstance(func, str):
        func, name = name, func
    if not callable(func):
        raise ValidationError(f"{method} needs a callable, got {func!r}")
    if name is not None and not isinstance(name, str):
        raise ValidationError(f"the name of a {method} is a text, got {name!r}")
    return func, name
