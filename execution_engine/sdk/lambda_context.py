"""What AWS hands to a handler about the invocation, for code that reads it."""

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """`deadline` is on `time.monotonic()`'s scale; without one the remaining time is AWS's largest, 15 minutes."""

    aws_request_id: str = ""
    function_name: str = ""
    function_version: str = ""
    invoked_function_arn: str = ""
    memory_limit_in_mb: str = ""
    tenant_id: str | None = None
    deadline: float | None = None
    log_group_name: str | None = None
    log_stream_name: str | None = None
    client_context: Any = None
    identity: Any = None

    def get_remaining_time_in_millis(self) -> int:
        if self.deadline is None:
            return 900_000
        return max(0, int((self.deadline - time.monotonic()) * 1000))
