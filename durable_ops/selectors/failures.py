"""Which errors ended executions, as their reader may see them: types and messages of errors are part of payloads."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from durable_ops.models import Right
from durable_ops.permissions import Access
from durable_ops.selectors.masking import MASK, masking_of
from execution_engine.selectors import activity, failures
from execution_engine.selectors.activity import FailureGroup
from execution_engine.selectors.executions import ExecutionSummary
from execution_engine.selectors.failures import Failure


def failure_groups(span: timedelta, access: Access, limit: int) -> list[FailureGroup]:
    """The largest groups of the last `span`. Messages of many executions are not shown where something is masked."""
    if not access.may(Right.VIEW_PAYLOAD):
        return []
    found = activity.failure_groups(span, access.functions_for(Right.VIEW_PAYLOAD))[:limit]
    return [replace(one, message=_shown(one.message, one.function, access)) for one in found]


def failures_of(items: Iterable[ExecutionSummary], access: Access) -> dict[UUID, Failure]:
    """Of a page of executions, those that ended with an error; under the same rules. One query, none where none has ended."""
    functions = {item.id: item.function for item in items if item.is_terminal and access.may(Right.VIEW_PAYLOAD, item.function)}
    found = failures.list_failures(functions)
    return {key: replace(one, message=_shown(one.message, functions[key], access)) for key, one in found.items()}


def _shown(message: str, function: str, access: Access) -> str:
    return MASK if message and masking_of(access).of(function).paths else message
