"""The values that map, parallel and their coordinator share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from execution_engine.core.records import ErrorObject
from execution_engine.core.serdes import SerDes
from execution_engine.sdk.completion import BatchItemStatus, CompletionConfig, CompletionDecision, CompletionItemStatus, CompletionStatus
from execution_engine.sdk.errors import DurableOperationError, ValidationError
from execution_engine.sdk.failures import error_object
from execution_engine.sdk.operations.base import Body


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What map and parallel have in common: who runs, under which names, until when."""

    item_sub_type: str
    bodies: list[Body]
    names: list[str]
    max_concurrency: int | None
    completion: CompletionConfig
    item_serdes: SerDes[Any] | None
    is_flat: bool


class State(Enum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


ITEM_STATUS = {
    State.PENDING: None,
    State.RUNNING: BatchItemStatus.STARTED,
    State.SUSPENDED: BatchItemStatus.STARTED,
    State.SUCCEEDED: BatchItemStatus.SUCCEEDED,
    State.FAILED: BatchItemStatus.FAILED,
}


@dataclass(slots=True)
class Branch:
    index: int
    state: State = State.PENDING
    result: Any = None
    error: ErrorObject | None = None
    awaited: frozenset[str] = frozenset()

    def settle(self, error: Exception | None, result: Any) -> None:
        if error is None:
            self.state, self.result = State.SUCCEEDED, result
        else:
            self.state, self.error = State.FAILED, escaped(error)


def snapshot(branches: Sequence[Branch], names: Sequence[str]) -> tuple[CompletionItemStatus, ...]:
    """What a predicate sees of the branches."""
    return tuple(CompletionItemStatus(branch.index, names[branch.index], ITEM_STATUS[branch.state]) for branch in branches)


def decided(predicate: Callable[[CompletionStatus], CompletionDecision], status: CompletionStatus) -> CompletionDecision:
    """What an author's predicate says. Raises `ValidationError` when that is no decision."""
    decision = predicate(status)
    if not hasattr(decision, "complete"):
        raise ValidationError(f"should_complete answered {decision!r}; it has to answer complete_batch() or continue_batch()")
    return decision


def escaped(error: Exception) -> ErrorObject:
    """What escaped the branch, as its own record has it."""
    if isinstance(error, DurableOperationError):
        trace = None if error.stack_trace is None else tuple(error.stack_trace)
        return ErrorObject(error.message, error.error_type, error.data, trace)
    return error_object(error)
