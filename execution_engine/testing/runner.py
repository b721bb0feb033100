"""`DurableFunctionTestRunner` and `DurableChildContextTestRunner` in the shape of AWS's testing library.

with DurableFunctionTestRunner(handler=place_order) as runner:
    result = runner.run(input='{"order": 1}')
assert result.status is InvocationStatus.SUCCEEDED
"""

import json
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any

from execution_engine.core.enums import ExecutionStatus, InvocationStatus
from execution_engine.core.records import ErrorObject
from execution_engine.sdk.context import DurableContext
from execution_engine.testing.client import DurableExecutionTestClient
from execution_engine.testing.execution import ExecutionUnderTest
from execution_engine.testing.results import DurableFunctionsTestError, DurableFunctionTestResult, tree_of
from execution_engine.testing.wire import ExecutionHistory, history_of

DEFAULT_TIMEOUT_SECONDS = 300


class DurableFunctionTestRunner:
    """Runs a handler to its end in memory. Waits and retries are skipped on a virtual clock; nothing is waited for in real time.

    `execution_timeout` (seconds) bounds the virtual time that callbacks may take. `poll_interval`, `invocation_timeout`,
    `max_invocation_page_bytes`, `store` and `region` are accepted for AWS's signature and not needed. A context manager; `close()`
    has nothing to release.
    """

    def __init__(
        self,
        handler: Callable[..., Any],
        poll_interval: float = 1.0,  # noqa: ARG002
        max_invocation_page_bytes: int | None = None,  # noqa: ARG002
        execution_timeout: int = DEFAULT_TIMEOUT_SECONDS,
        invocation_timeout: int = 900,  # noqa: ARG002
        store: Any = None,  # noqa: ARG002
        skip_time: bool = True,
        region: str = "us-east-1",  # noqa: ARG002
        client: DurableExecutionTestClient | None = None,
    ) -> None:
        if not skip_time:
            raise DurableFunctionsTestError("time is always virtual here; run the function in a worker to wait for real")
        self._handler = handler
        self._execution_timeout = execution_timeout
        self._client = client or DurableExecutionTestClient()
        self._started: dict[str, ExecutionUnderTest] = {}

    def __enter__(self) -> "DurableFunctionTestRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open: no threads, no files."""

    def register_durable_function(self, function_name: str, handler: Callable[..., Any]) -> "DurableFunctionTestRunner":
        """Makes a handler a target of `context.invoke`, as an execution of its own."""
        self._client.register_function(handler, function_name)
        return self

    def register_function(self, function_name: str, handler: Callable[..., Any]) -> "DurableFunctionTestRunner":
        """Makes a plain `handler(event, lambda_context)` a target of `context.invoke`, called once."""
        self._client.register_function(handler, function_name, durable=False)
        return self

    def run(
        self,
        input: Any = None,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> DurableFunctionTestResult:
        """Starts it as `run_async` does and runs it to its end. `timeout` is the older name of `execution_timeout`.

        Raises `TimeoutError` when only an outsider can end it in time.
        """
        seconds = next((given for given in (execution_timeout, timeout) if given is not None), self._execution_timeout)
        arn = self.run_async(input, seconds, None, function_name, execution_name, account_id, tenant_id)
        return self.wait_for_result(arn, seconds)

    def run_async(
        self,
        input: Any = None,
        execution_timeout: int | None = None,  # noqa: ARG002
        timeout: int | None = None,  # noqa: ARG002
        function_name: str | None = None,  # noqa: ARG002
        execution_name: str | None = None,
        account_id: str | None = None,  # noqa: ARG002
        tenant_id: str | None = None,
    ) -> str:
        """Runs it to its first suspension and answers its ARN.

        `input` is JSON text; other text is a string and any other value is itself, as in AWS's runner. None is no input.
        """
        execution = self._client.start_execution(self._handler, _input_of(input), execution_name, tenant_id=tenant_id)
        self._started[execution.arn] = execution
        return execution.arn

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> DurableFunctionTestResult:
        """Skips waits and retries; callbacks may take `timeout` seconds of virtual time. Raises `TimeoutError` after that."""
        execution = self._find(execution_arn)
        while not execution.run_until_complete().is_terminal:
            due = self._client.next_moment
            if due is None or due > self._client.now + timedelta(seconds=timeout):
                raise TimeoutError(f"{execution_arn} did not end in {timeout} s: {execution.describe()}")
            self._client.skip_time(due - self._client.now)
        status, error = execution.status, execution.error
        return DurableFunctionTestResult(
            status=InvocationStatus.SUCCEEDED if status is ExecutionStatus.SUCCEEDED else InvocationStatus.FAILED,
            operations=tree_of(execution.operations),
            result=execution.result_text,
            error=error,
            execution_status=status,
        )

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> str:  # noqa: ARG002
        """The id of the latest pending callback, or of the one of that name; waits and retries before it are skipped.

        The callback of `wait_for_callback(..., name="x")` is found as `x` too. Raises `TimeoutError` when there is none.
        """
        execution = self._find(execution_arn)
        execution.run_until_complete()
        wanted = (name, f"{name} create callback id")
        for callback in reversed(execution.get_pending_callbacks()):
            if name is None or callback.name in wanted:
                return callback.callback_id
        raise TimeoutError(f"no callback {name or ''} is pending: {execution.describe()}")

    def send_callback_success(self, callback_id: str, result: bytes | str | None = None) -> None:
        text = result.decode() if isinstance(result, bytes) else result
        self._client.find_callback(callback_id).complete(text)

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        self._client.find_callback(callback_id).fail(error or ErrorObject())

    def send_callback_heartbeat(self, callback_id: str) -> None:
        self._client.find_callback(callback_id).heartbeat()

    def pause_execution(self, execution_arn: str) -> None:
        """Nothing is invoked until `resume_execution`."""
        self._find(execution_arn).pause()

    def resume_execution(self, execution_arn: str) -> None:
        self._find(execution_arn).resume()

    def redrive_execution(self, execution_arn: str) -> None:
        """Lets an ended execution go on from its failure; `wait_for_result` answers its next end."""
        self._find(execution_arn).redrive()

    def get_execution_history(self, execution_arn: str, include_execution_data: bool = True) -> ExecutionHistory:
        """AWS Event objects, also of a chained child by its ARN: `.events`, each a dictionary that is read by attribute as well."""
        return history_of(self._find(execution_arn).events, include_execution_data=include_execution_data)

    def _find(self, execution_arn: str) -> ExecutionUnderTest:
        for execution in (*self._started.values(), *self._client.executions):
            if execution.arn == execution_arn:
                return execution
        raise DurableFunctionsTestError(f"nothing was started under {execution_arn}")


def _input_of(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given) if given.strip() else None
    except json.JSONDecodeError:
        return given


class DurableChildContextTestRunner(DurableFunctionTestRunner):
    """Runs one function made for `run_in_child_context`, decorated with `durable_with_child_context` or not, on its own."""

    def __init__(self, context_function: Callable[..., Any], *args: Any, **options: Any) -> None:
        prepared = context_function(*args) if hasattr(context_function, "__wrapped__") else context_function

        def handler(event: Any, context: DurableContext) -> Any:  # noqa: ARG001
            return context.run_in_child_context(prepared)

        super().__init__(handler, **options)
