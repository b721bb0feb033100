"""What map and parallel answer, and the record of a result that is too large to be stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from execution_engine.core.records import ErrorObject
from execution_engine.core.serdes import register_type
from execution_engine.sdk.completion import BatchItemStatus, CompletionConfig, CompletionReason, Progress
from execution_engine.sdk.errors import ChildContextError, DurableOperationError
from execution_engine.sdk.failures import recorded_error, register_operation_error

R = TypeVar("R")


class BatchCompletionError(DurableOperationError):
    """A predicate ended the batch as failed although no item had failed."""

    def __init__(
        self,
        completion_reason: CompletionReason = CompletionReason.CUSTOM_COMPLETION_FAILED,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        text = message or f"Batch completed as failed by should_complete ({completion_reason.value})"
        super().__init__(text, error_type, data, stack_trace)
        self.completion_reason = completion_reason


def _batch_completion_error(
    message: str | None, error_type: str | None, data: str | None, stack_trace: list[str] | None
) -> BatchCompletionError:
    return BatchCompletionError(message=message, error_type=error_type, data=data, stack_trace=stack_trace)


register_operation_error(BatchCompletionError, _batch_completion_error)


@dataclass(frozen=True)
class BatchItem(Generic[R]):
    """One branch that was started. `error` is the exception that ended it."""

    index: int
    status: BatchItemStatus
    result: R | None = None
    error: ErrorObject | None = None

    def to_dict(self) -> dict[str, Any]:
        error = None if self.error is None else self.error.to_wire()
        return {"index": self.index, "status": self.status.value, "result": self.result, "error": error}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "BatchItem[R]":
        error = data.get("error")
        return cls(
            data["index"],
            BatchItemStatus(data["status"]),
            data.get("result"),
            None if error is None else ErrorObject.from_wire(error),
        )


@dataclass(frozen=True)
class BatchResult(Generic[R]):
    """`all` holds the branches that were started, in index order; those never started are not in it."""

    all: list[BatchItem[R]]
    completion_reason: CompletionReason

    def succeeded(self) -> list[BatchItem[R]]:
        return self._with(BatchItemStatus.SUCCEEDED)

    def failed(self) -> list[BatchItem[R]]:
        return self._with(BatchItemStatus.FAILED)

    def started(self) -> list[BatchItem[R]]:
        """Branches that had not ended when the batch did."""
        return self._with(BatchItemStatus.STARTED)

    def get_results(self) -> list[R]:
        return [cast(R, item.result) for item in self.succeeded()]

    def get_errors(self) -> list[ErrorObject]:
        """The error of each failed item, in index order."""
        return [item.error or ErrorObject() for item in self.failed()]

    @property
    def status(self) -> BatchItemStatus:
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_FAILED:
            return BatchItemStatus.FAILED
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_SUCCEEDED or not self.has_failure:
            return BatchItemStatus.SUCCEEDED
        return BatchItemStatus.FAILED

    @property
    def has_failure(self) -> bool:
        return any(item.status is BatchItemStatus.FAILED for item in self.all)

    @property
    def success_count(self) -> int:
        return len(self.succeeded())

    @property
    def failure_count(self) -> int:
        return len(self.failed())

    @property
    def started_count(self) -> int:
        return len(self.started())

    @property
    def total_count(self) -> int:
        return len(self.all)

    def throw_if_error(self) -> None:
        """Raises the `ChildContextError` of the first failed item by index, or `BatchCompletionError`."""
        for item in self.failed():
            if item.error is None:
                raise ChildContextError(f"batch item {item.index} failed without an error object")
            raise recorded_error(ChildContextError, item.error)
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_FAILED:
            raise BatchCompletionError(self.completion_reason)

    def to_dict(self) -> dict[str, Any]:
        """JSON keys `all` (items with index, status, result, error) and `completionReason`."""
        return {"all": [item.to_dict() for item in self.all], "completionReason": self.completion_reason.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], completion_config: CompletionConfig | None = None) -> "BatchResult[R]":
        """Without `completionReason` it is inferred from the items."""
        items: list[BatchItem[R]] = [BatchItem.from_dict(item) for item in data["all"]]
        reason = data.get("completionReason")
        return cls.from_items(items, completion_config) if reason is None else cls(items, CompletionReason(reason))

    @classmethod
    def from_items(cls, items: list[BatchItem[R]], completion_config: CompletionConfig | None = None) -> "BatchResult[R]":
        succeeded = sum(item.status is BatchItemStatus.SUCCEEDED for item in items)
        failed = sum(item.status is BatchItemStatus.FAILED for item in items)
        return cls(items, Progress(completion_config or CompletionConfig(), len(items), succeeded, failed, None).reason)

    def _with(self, status: BatchItemStatus) -> list[BatchItem[R]]:
        return [item for item in self.all if item.status is status]


def _copied(value: BatchResult[Any], copy: Callable[[Any], Any]) -> BatchResult[Any]:
    items = [BatchItem(item.index, item.status, copy(item.result), item.error) for item in value.all]
    return BatchResult(items, value.completion_reason)


register_type(BatchResult, "br", BatchResult.to_dict, BatchResult.from_dict, _copied)


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What the summary of a large result says about its branches: replay takes reason and membership from it verbatim."""

    reason: CompletionReason
    started_total: int
    unfinished: frozenset[int]

    @classmethod
    def read(cls, payload: str | None) -> "BatchRecord | None":
        """None for a payload that is no such summary."""
        try:
            data = json.loads(payload or "")
            total, started = data["totalCount"], data.get("startedIndexes")
            unfinished = frozenset(range(total)) - frozenset(data["completedIndexes"]) if started is None else frozenset(started)
            return cls(CompletionReason(data["completionReason"]), total, unfinished)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def batch_summary(kind: str, custom: Callable[[Any], Any] | None) -> Callable[[BatchResult[Any]], str]:
    """Writes the summary of a large result; `kind` is MapResult or ParallelResult, `custom` the author's own text."""

    def generate(result: BatchResult[Any]) -> str:
        started = [item.index for item in result.started()]
        completed = [item.index for item in result.all if item.status is not BatchItemStatus.STARTED]
        fields: dict[str, Any] = {
            "type": kind,
            "totalCount": result.total_count,
            "completionReason": result.completion_reason.value,
            **({"startedIndexes": started} if len(started) <= len(completed) else {"completedIndexes": completed}),
            "startedCount": len(started),
            "successCount": result.success_count,
            "failureCount": result.failure_count,
            "status": result.status.value,
        }
        if custom is not None:
            fields["summary"] = str(custom(result))
        return json.dumps(fields)

    return generate
