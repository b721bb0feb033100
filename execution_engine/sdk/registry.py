"""The functions that this process knows, by name and version, and the decorator that declares them."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import update_wrapper
from typing import Any, overload

from execution_engine.sdk import ports
from execution_engine.sdk.codec import PayloadCodec
from execution_engine.sdk.definition import Handler, RegisteredFunction, checked_url, define, kind_of
from execution_engine.sdk.durations import DurationLike
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.plugins import plugins_of

logger = logging.getLogger(__name__)

__all__ = [
    "DurableFunction",
    "RegisteredFunction",
    "describe",
    "durable_execution",
    "find_function",
    "input_text",
    "register",
    "registered_functions",
    "start_many",
]


class DurableFunction:
    """A decorated function. It can still be called with `(event, context)`, and it starts executions."""

    def __init__(self, definition: RegisteredFunction) -> None:
        update_wrapper(self, definition.handler)
        self.definition = definition

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def version(self) -> str:
        return self.definition.version

    def __call__(self, event: Any, context: Any) -> Any:
        return self.definition.handler(event, context)

    def __repr__(self) -> str:
        return f"<durable function {self.name} version {self.version}>"

    def start(
        self,
        input: Any = None,
        *,
        name: str | None = None,
        attributes: Mapping[str, str | int | float | bool | None] | None = None,
        version: str | None = None,
        concurrency_key: str | None = None,
        priority: int | None = None,
    ) -> ports.ExecutionHandle:
        """Starts an execution inside the caller's transaction: it exists only if that commits.

        `input` is any value that JSON can write. Calling it again with the same `name` returns the same execution if the input is the same,
        and raises `ExecutionAlreadyStartedError` if not. Executions with the same `concurrency_key` (1 to 200 characters) share the
        function's limit per key. `priority` is a head start in the queue of 0 to 3600 seconds; without it the function's own applies.
        Raises `ValidationError` for an input that is not JSON, `InvalidInputError` for other values out of bounds, `FunctionNotFoundError`.
        """
        return ports.launcher().start(
            self.name,
            input_text(input),
            version=version or self.version,
            name=name,
            attributes=attributes,
            concurrency_key=concurrency_key,
            priority=priority,
        )

    def run(self, input: Any = None, *, name: str | None = None) -> ports.ExecutionHandle:
        """Starts an execution and runs it on this thread until its end or its first suspension; workers do the rest.

        Raises `InTransactionError` inside `transaction.atomic()`, where its checkpoints could not become durable.
        """
        return ports.launcher().run(self.name, input_text(input), version=self.version, name=name)


_functions: dict[tuple[str, str], RegisteredFunction] = {}


@overload
def durable_execution(func: Handler) -> DurableFunction: ...
@overload
def durable_execution(
    func: None = None,
    *,
    name: str | None = None,
    version: str = "1",
    execution_timeout: DurationLike | None = None,
    invocation_timeout: DurationLike | None = None,
    retention: DurationLike | None = None,
    memory_mb: int = 1024,
    boto3_client: Any = None,
    plugins: Sequence[Any] | None = None,
    codec: PayloadCodec | None = None,
) -> Callable[[Handler], DurableFunction]: ...
def durable_execution(
    func: Handler | None = None,
    *,
    name: str | None = None,
    version: str = "1",
    execution_timeout: DurationLike | None = None,
    invocation_timeout: DurationLike | None = None,
    retention: DurationLike | None = None,
    memory_mb: int = 1024,
    boto3_client: Any = None,  # noqa: ARG001
    plugins: Sequence[Any] | None = None,
    codec: PayloadCodec | None = None,
) -> Any:
    """Makes `func(event, context)` a durable function, registered as `name` (by default the function's own name).

    Times accept every spelling of a duration: `execution_timeout` 1 s to 366 days, `invocation_timeout` 1 s to one day, `retention` after
    the end 1 to 90 days. `codec` compresses or encrypts what is recorded. `boto3_client` exists for AWS's signature and is ignored. Raises
    `ValidationError`, which names the limit and the value.
    """

    def decorate(handler: Handler) -> DurableFunction:
        definition = define(
            handler,
            name or handler.__name__,
            version,
            execution_timeout=execution_timeout,
            invocation_timeout=invocation_timeout,
            retention=retention,
            memory_mb=memory_mb,
            plugins=plugins_of(plugins),
            codec=codec,
        )
        _add(definition, warn=name is not None)
        return DurableFunction(definition)

    return decorate if func is None else decorate(func)


def register(
    handler: Handler | None = None,
    *,
    name: str,
    version: str = "1",
    execution_timeout: DurationLike | None = None,
    invocation_timeout: DurationLike | None = None,
    retention: DurationLike | None = None,
    memory_mb: int = 1024,
    per_tenant: bool = False,
    durable: bool = True,
    url: str | None = None,
) -> RegisteredFunction:
    """Registers any callable under a name: a durable function, one decorated with AWS's SDK, or a plain one (`durable=False`).

    With `url` instead of a handler the function is remote: each invocation is a POST to `URL/2015-03-31/functions/NAME/invocations`, and
    the program there checkpoints through the Lambda API. Values that are not given here stay as a decorator declared them. Raises
    `ValidationError` for values out of bounds, and unless exactly one of handler and `url` is given.
    """
    if handler is None and url is None:
        raise ValidationError(f"function {name} needs a handler, or a url where it runs")
    if handler is not None and url is not None:
        raise ValidationError(f"function {name} has a handler here and a url: it runs in one of the two places")
    base = handler.definition if isinstance(handler, DurableFunction) else None
    given = define(
        base.handler if base else handler or _remote_only,
        name,
        version,
        execution_timeout=execution_timeout,
        invocation_timeout=invocation_timeout,
        retention=retention,
        memory_mb=memory_mb,
        plugins=base.plugins if base else (),
        codec=base.codec if base else None,
    )
    definition = replace(
        given,
        execution_timeout=given.execution_timeout or (base.execution_timeout if base else None),
        invocation_timeout=given.invocation_timeout or (base.invocation_timeout if base else None),
        retention_days=given.retention_days or (base.retention_days if base else None),
        per_tenant=per_tenant,
        is_durable=durable,
        url=None if url is None else checked_url(url),
        kind=kind_of(handler, durable, url),
    )
    _add(definition, warn=True)
    return definition


def describe(handler: Handler) -> RegisteredFunction:
    """The definition of a decorated function, or a new one for a plain `handler(event, context)`. Registers nothing."""
    if isinstance(handler, DurableFunction):
        return handler.definition
    name = re.sub(r"[^A-Za-z0-9_-]", "-", getattr(handler, "__name__", "function"))[:64]
    return replace(define(handler, name, "1"), kind=kind_of(handler, True, None))


def registered_functions() -> list[RegisteredFunction]:
    """Every version of every function: sorted by name, then in order of registration."""
    return sorted(_functions.values(), key=lambda function: function.name)


def find_function(name: str, version: str | None = None) -> RegisteredFunction | None:
    """The given version, or the one registered last; None if this process does not know it."""
    if version is not None:
        return _functions.get((name, version))
    return next((function for function in reversed(_functions.values()) if function.name == name), None)


def start_many(function: DurableFunction | str, inputs: Sequence[Any], *, version: str | None = None) -> list[ports.ExecutionHandle]:
    """Starts one execution for each input, all in one statement inside the caller's transaction; handles in the order of the inputs.

    `version` is by default that of a decorated function, else the newest. Raises `ValidationError` for an input that is not JSON.
    """
    name = function.name if isinstance(function, DurableFunction) else function
    if version is None and isinstance(function, DurableFunction):
        version = function.version
    return ports.launcher().start_many(name, [input_text(value) for value in inputs], version=version)


def input_text(value: Any) -> str | None:
    """The JSON text of an input; None means no input, which the function receives as `{}`. Raises `ValidationError`."""
    if value is None:
        return None
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the input of an execution is JSON: {error}") from error


def _remote_only(event: Any, context: Any) -> Any:  # noqa: ARG001
    raise ValidationError("this function runs elsewhere and cannot be called in this process")


def _add(definition: RegisteredFunction, *, warn: bool) -> None:
    key = (definition.name, definition.version)
    known = _functions.pop(key, None)
    if known is not None and warn and _home(known.handler) != _home(definition.handler):
        logger.warning("function %s version %s is now %s, was %s", *key, _home(definition.handler), _home(known.handler))
    _functions[key] = definition


def _home(handler: Handler) -> str:
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', handler)}"
