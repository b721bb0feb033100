"""What AWS tells a handler about its invocation, for code that reads it."""

import json
import time
from dataclasses import dataclass, fields
from typing import Any

from execution_engine.sdk.definition import RegisteredFunction


@dataclass(frozen=True, slots=True)
class Client:
    """The calling application, as it describes itself."""

    installation_id: Any = None
    app_title: Any = None
    app_version_name: Any = None
    app_version_code: Any = None
    app_package_name: Any = None


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What the caller of Invoke sent as `ClientContext`; absent members are None."""

    custom: Any = None
    env: Any = None
    client: Client | None = None

    @classmethod
    def read(cls, text: str | None) -> "ClientContext | None":
        """Reads the JSON object that a caller sent."""
        given = None if text is None else json.loads(text)
        if given is None:
            return None
        client = given.get("client")
        known = {field.name: client.get(field.name) for field in fields(Client)} if isinstance(client, dict) else None
        return cls(given.get("custom"), given.get("env"), None if known is None else Client(**known))


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """`deadline` is on `time.monotonic()`'s scale; without one the remaining time is AWS's largest, 15 minutes.

    `trace_header` is what AWS keeps in the environment as `_X_AMZN_TRACE_ID`: one process here runs many invocations at a time.
    """

    aws_request_id: str = ""
    function_name: str = ""
    function_version: str = ""
    invoked_function_arn: str = ""
    memory_limit_in_mb: str = ""
    tenant_id: str | None = None
    deadline: float | None = None
    log_group_name: str | None = None
    log_stream_name: str | None = None
    client_context: ClientContext | None = None
    identity: Any = None
    trace_header: str | None = None

    @classmethod
    def of(
        cls,
        function: RegisteredFunction,
        execution_arn: str,
        *,
        request_id: str | None = None,
        tenant_id: str | None = None,
        deadline: float | None = None,
        trace_header: str | None = None,
        client_context: str | None = None,
    ) -> "LambdaContext":
        """The context of one invocation of `function`. `client_context` is the JSON object that its caller sent."""
        return cls(
            aws_request_id=request_id or "",
            function_name=function.name,
            function_version=function.version,
            invoked_function_arn=execution_arn.partition("/durable-execution/")[0],
            memory_limit_in_mb=str(function.memory_mb),
            tenant_id=tenant_id,
            deadline=deadline,
            trace_header=trace_header,
            client_context=ClientContext.read(client_context),
        )

    def get_remaining_time_in_millis(self) -> int:
        if self.deadline is None:
            return 900_000
        return max(0, int((self.deadline - time.monotonic()) * 1000))
