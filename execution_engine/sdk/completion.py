"""When a map or parallel is over: thresholds, or an author's own predicate."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from execution_engine.sdk.errors import ValidationError


class BatchItemStatus(Enum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STARTED = "STARTED"


class CompletionReason(Enum):
    ALL_COMPLETED = "ALL_COMPLETED"
    MIN_SUCCESSFUL_REACHED = "MIN_SUCCESSFUL_REACHED"
    FAILURE_TOLERANCE_EXCEEDED = "FAILURE_TOLERANCE_EXCEEDED"
    CUSTOM_COMPLETION_SUCCEEDED = "CUSTOM_COMPLETION_SUCCEEDED"
    CUSTOM_COMPLETION_FAILED = "CUSTOM_COMPLETION_FAILED"


class CompletionOutcome(Enum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class CompletionDecision:
    """What a predicate answers; made by `continue_batch()` and `complete_batch(outcome)`."""

    complete: bool
    outcome: CompletionOutcome | None = None

    def __post_init__(self) -> None:
        if self.complete is not (self.outcome is not None):
            raise ValidationError("a CompletionDecision has an outcome exactly when it completes the batch")


def continue_batch() -> CompletionDecision:
    return CompletionDecision(False)


def complete_batch(outcome: CompletionOutcome = CompletionOutcome.SUCCEEDED) -> CompletionDecision:
    return CompletionDecision(True, outcome)


@dataclass(frozen=True)
class CompletionItemStatus:
    """One branch as a predicate sees it; `status` None is not started yet."""

    index: int
    name: str | None = None
    status: BatchItemStatus | None = None


@dataclass(frozen=True)
class CompletionStatus:
    """Progress as a predicate sees it; `items` in index order."""

    success_count: int
    failure_count: int
    completed_count: int
    total_count: int
    items: tuple[CompletionItemStatus, ...] = ()


Predicate = Callable[[CompletionStatus], CompletionDecision]


@dataclass(frozen=True)
class CompletionConfig:
    """With nothing set, the first failure ends the batch.

    A batch ends when more items fail than `tolerated_failure_count`, or more than `tolerated_failure_percentage` of all its items.
    `should_complete` cannot be combined with these thresholds. It is asked whenever a branch changes, except in a batch whose end is
    recorded; its answer must depend on the status alone and must not change back when more branches end. Raises `ValidationError` for
    values out of bounds.
    """

    min_successful: int | None = None
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: int | float | None = None
    should_complete: Predicate | None = None

    def __post_init__(self) -> None:
        count, percentage = self.tolerated_failure_count, self.tolerated_failure_percentage
        if self.min_successful is not None and self.min_successful < 1:
            raise ValidationError(f"min_successful must be at least 1, got: {self.min_successful}")
        if count is not None and count < 0:
            raise ValidationError(f"tolerated_failure_count must be non-negative, got: {count}")
        if percentage is not None and not 0 <= percentage <= 100:
            raise ValidationError(f"tolerated_failure_percentage must be between 0 and 100, got: {percentage}")
        if self.should_complete is not None and (not callable(self.should_complete) or self.has_thresholds):
            raise ValidationError("should_complete must be callable and cannot be combined with thresholds")

    @property
    def has_thresholds(self) -> bool:
        return (self.min_successful, self.tolerated_failure_count, self.tolerated_failure_percentage) != (None, None, None)

    def check_total(self, total: int) -> None:
        """Raises `ValidationError` before anything is recorded when the minimum cannot be reached."""
        if self.min_successful is not None and self.min_successful > total:
            raise ValidationError(f"min_successful cannot be greater than total items: {self.min_successful} > {total}")

    @staticmethod
    def first_successful() -> "CompletionConfig":
        return CompletionConfig(min_successful=1)

    @staticmethod
    def all_completed() -> "CompletionConfig":
        return CompletionConfig(tolerated_failure_percentage=100)

    @staticmethod
    def all_successful() -> "CompletionConfig":
        return CompletionConfig(tolerated_failure_count=0, tolerated_failure_percentage=0)


@dataclass(frozen=True, slots=True)
class Progress:
    """The counts of a batch at one moment, and what the predicate said about them."""

    config: CompletionConfig
    total: int
    succeeded: int
    failed: int
    decision: CompletionDecision | None

    @property
    def is_tolerance_exceeded(self) -> bool:
        config = self.config
        if config.should_complete is not None:
            return False
        if not config.has_thresholds:
            return self.failed > 0
        if config.tolerated_failure_count is not None and self.failed > config.tolerated_failure_count:
            return True
        percentage = config.tolerated_failure_percentage
        return percentage is not None and self.total > 0 and self.failed / self.total * 100 > percentage

    @property
    def is_over(self) -> bool:
        """Whether no further branch is started or awaited."""
        if self.is_tolerance_exceeded or (self.decision is not None and self.decision.complete):
            return True
        minimum = self.config.min_successful
        return self.succeeded + self.failed >= self.total or (minimum is not None and self.succeeded >= minimum)

    @property
    def reason(self) -> CompletionReason:
        if self.is_tolerance_exceeded:
            return CompletionReason.FAILURE_TOLERANCE_EXCEEDED
        if self.decision is not None and self.decision.complete:
            if self.decision.outcome is CompletionOutcome.FAILED:
                return CompletionReason.CUSTOM_COMPLETION_FAILED
            return CompletionReason.CUSTOM_COMPLETION_SUCCEEDED
        minimum = self.config.min_successful
        if self.succeeded + self.failed < self.total and minimum is not None and self.succeeded >= minimum:
            return CompletionReason.MIN_SUCCESSFUL_REACHED
        return CompletionReason.ALL_COMPLETED
