"""wait: a timer that costs nothing while it runs (semantics: WAIT)."""

from execution_engine.core.records import OperationOptions
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import START, suspend_for
from execution_engine.sdk.state import ContextPosition


def run_wait(context: ContextPosition, key: OperationKey, seconds: int) -> None:  # noqa: ARG001
    """Returns when the time has passed, else suspends."""
    if key.found is None:
        key.sink.checkpoint(key.update(START, options=OperationOptions(duration=seconds)))
    record = key.recorded()
    if not record.is_terminal:
        suspend_for(key, record)
