"""Keeps AWS's SDK from doing anything in a rehearsal. Imported only where that package is installed.

Its steps send their START without waiting and run at once, so the service client cannot stop them. Instead, code that asks for something
that would be recorded is suspended where it asks.
"""

from typing import Any

from aws_durable_execution_sdk_python import lambda_service as aws
from aws_durable_execution_sdk_python.exceptions import SuspendExecution as AwsSuspendExecution
from aws_durable_execution_sdk_python.plugin import PluginExecutor
from aws_durable_execution_sdk_python.state import CheckpointedResult, ExecutionState

from execution_engine.invocation import aws_values
from execution_engine.sdk import ports
from execution_engine.sdk.suspend import SuspendExecution


class WatchedState(ExecutionState):
    """AWS's state of an invocation, which is watched if its client has a `watch`; outside of a rehearsal nothing differs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch = getattr(kwargs.get("service_client"), "watch", None)

    def get_checkpoint_result(self, checkpoint_id: str, *, claim_end_hook: bool = True) -> CheckpointedResult:
        if self._watch is not None and claim_end_hook:  # without it the SDK only looks ahead
            self._watch.reads(checkpoint_id)
        return super().get_checkpoint_result(checkpoint_id, claim_end_hook=claim_end_hook)

    def create_checkpoint(self, operation_update: aws.OperationUpdate | None = None, is_sync: bool = True) -> None:
        if self._watch is not None and operation_update is not None:
            try:
                self._watch.writes(aws_values.from_aws(operation_update))
            except SuspendExecution as stopped:
                raise AwsSuspendExecution(str(stopped)) from None
        super().create_checkpoint(operation_update, is_sync)


def plugin_executor(plugins: Any) -> PluginExecutor:
    """An executor without plugins: none of them hears of a rehearsal."""
    return PluginExecutor(plugins if ports.refusing.get() is None else [])
