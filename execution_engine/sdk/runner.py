"""Runs a handler once over a journal: the worker, the test client and `fn.run()` all run it this way."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from execution_engine.core.enums import InvocationStatus
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject
from execution_engine.core.transitions.execution import EXIT_ERROR
from execution_engine.sdk.context import DurableContext
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.errors import InvocationError
from execution_engine.sdk.failures import error_object
from execution_engine.sdk.key import Invocation
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.plugin_host import PluginHost
from execution_engine.sdk.plugins import PluginInvocationStatus
from execution_engine.sdk.sink import Sink
from execution_engine.sdk.speaker import Speaker, speaker
from execution_engine.sdk.suspend import SuspendExecution


@dataclass(frozen=True, slots=True)
class HandlerOutcome:
    """How the run ended. `result` is JSON text, for SUCCEEDED only.

    With `invocation_failed` the invocation itself failed with `error`: `status` has no meaning, and another invocation follows after
    `pause` seconds, or after the engine's usual pause.
    """

    status: InvocationStatus
    result: str | None = None
    error: ErrorObject | None = None
    invocation_failed: bool = False
    pause: int | None = None


_PENDING = HandlerOutcome(InvocationStatus.PENDING)


def run_handler(
    function: RegisteredFunction,
    sink: Sink,
    event_text: str | None,
    *,
    updated_operation_ids: Sequence[str] = (),
    is_replaying: bool,
    lambda_context: LambdaContext | None = None,
) -> HandlerOutcome:
    """Runs `function.handler(event, context)` until it returns, raises or suspends.

    `event_text` is JSON; empty or None gives the event `{}`. `is_replaying` says that operations are recorded already. Without a
    `lambda_context` the handler sees one that names only the function.

    - An exception of author code gives FAILED, a suspension PENDING.
    - A retryable `InvocationError`, `sys.exit()` and any other BaseException of author code give a failed invocation.
    - An `InvocationInterrupt` other than a suspension passes through.
    """
    lambda_context = lambda_context or LambdaContext.of(function, sink.execution_arn)
    plugins: PluginHost | None = None
    try:
        event = _event(event_text)
        if function.plugins and function.is_durable:
            plugins = PluginHost(function.plugins, sink, lambda_context, event, tuple(updated_operation_ids))
    except (ValueError, RecursionError) as error:
        return HandlerOutcome(InvocationStatus.FAILED, error=error_object(error))
    outcome = _outcome(function, Invocation(plugins or sink, lambda_context, plugins, function.codec), event, is_replaying)
    if plugins is not None:
        status = "RETRY" if outcome.invocation_failed else outcome.status
        plugins.end(PluginInvocationStatus(status), error=outcome.error, result=outcome.result)
    return outcome


def _outcome(function: RegisteredFunction, invocation: Invocation, event: Any, is_replaying: bool) -> HandlerOutcome:
    try:
        return HandlerOutcome(InvocationStatus.SUCCEEDED, _result_text(_call(function, invocation, event, is_replaying)))
    except SuspendExecution as suspended:
        # A context keeps the exception that unwinds it, and the exception's frames keep the context: without this cut the pair would stay
        # in memory until the garbage collector finds it.
        suspended.__traceback__ = None
        return _PENDING
    except InvocationError as error:
        return HandlerOutcome(InvocationStatus.FAILED, error=error_object(error), invocation_failed=error.is_retryable())
    except SystemExit as error:
        exited = replace(EXIT_ERROR, message=f"the handler called sys.exit({error.code!r})")
        return HandlerOutcome(InvocationStatus.FAILED, error=exited, invocation_failed=True)
    except InvocationInterrupt:
        raise
    except Exception as error:
        return HandlerOutcome(InvocationStatus.FAILED, error=error_object(error))
    except BaseException as error:
        # On the main thread this is somebody's Ctrl-C during fn.run(); on any other thread, author code raised it.
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        return HandlerOutcome(InvocationStatus.FAILED, error=error_object(error), invocation_failed=True)


def _call(function: RegisteredFunction, invocation: Invocation, event: Any, is_replaying: bool) -> Any:
    if not function.is_durable:
        return function.handler(event, invocation.lambda_context)
    context = DurableContext(invocation, is_replaying=is_replaying)
    token = speaker.set(Speaker(is_replaying=context.is_replaying))
    try:
        result = function.handler(event, context)
        context._raise_swallowed()
        return result
    finally:
        speaker.reset(token)
        invocation.end()


def _result_text(result: Any) -> str:
    try:
        return json.dumps(result)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"what a function returns is written as JSON: {error}") from None


def _event(text: str | None) -> Any:
    return {} if text is None or not text.strip() else json.loads(text)
