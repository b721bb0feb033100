"""invoke: the result of another function (semantics: CHAINED_INVOKE)."""

from typing import Any

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import OperationOptions
from execution_engine.core.serdes import DEFAULT_JSON_SERDES
from execution_engine.sdk.config import InvokeConfig
from execution_engine.sdk.errors import InvokeError
from execution_engine.sdk.failures import recorded_error
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import START, suspend_for
from execution_engine.sdk.state import ContextPosition


def run_invoke(context: ContextPosition, key: OperationKey, function: str, payload: Any, config: InvokeConfig[Any, Any]) -> Any:  # noqa: ARG001
    """Suspends until the other execution has ended. Raises `InvokeError` with its error, time-out or stop."""
    if key.invocation.witness is not None:
        key.invocation.witness.invokes(key, function)
    if key.found is None:
        text = key.write(config.serdes_payload or DEFAULT_JSON_SERDES, payload)
        plugins = key.invocation.plugins
        trace = None if plugins is None else plugins.trace_of(key.id, function, key.parent_id)
        options = OperationOptions(function=function, tenant=config.tenant_id, trace=trace)
        key.sink.checkpoint(key.update(START, text, options=options))
    record = key.recorded()
    if not record.is_terminal:
        suspend_for(key, record)
    if record.status is OperationStatus.SUCCEEDED:
        return key.read(config.serdes_result or DEFAULT_JSON_SERDES, record.payload)
    raise recorded_error(InvokeError, record.error)
