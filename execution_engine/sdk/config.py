"""What an author may set on an operation. The names are AWS's; what AWS does not have is marked (ours)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from execution_engine.core.serdes import SerDes
from execution_engine.sdk.completion import CompletionConfig
from execution_engine.sdk.durations import MAX_CALLBACK_SECONDS, Duration, bounded_seconds
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.retries import RetryStrategy, as_strategy

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")
_SUB_TYPE = re.compile(r"[A-Za-z0-9_-]{1,32}")


class StepSemantics(Enum):
    """What happens to an attempt that was interrupted: it runs again, or counts as failed with `StepInterruptedError`."""

    AT_MOST_ONCE_PER_RETRY = "AT_MOST_ONCE_PER_RETRY"
    AT_LEAST_ONCE_PER_RETRY = "AT_LEAST_ONCE_PER_RETRY"


def _check_sub_type(sub_type: str | None) -> None:
    if sub_type and not _SUB_TYPE.fullmatch(sub_type):
        raise ValidationError(f"sub_type must be 1 to 32 characters of A-Z a-z 0-9 _ -, got {sub_type!r}")


def _take_preset(config: "StepConfig | WaitForCallbackConfig") -> None:
    """A preset may be given without calling it, as in `retry=`."""
    if config.retry_strategy is not None:
        object.__setattr__(config, "retry_strategy", as_strategy(config.retry_strategy))


@dataclass(frozen=True, slots=True)
class StepConfig:
    """`atomic=True` (ours): the step's Django writes on the default database and its checkpoint are one commit, so the
    step takes effect exactly once. Another alias is refused with `ValidationError`."""

    retry_strategy: RetryStrategy | None = None
    step_semantics: StepSemantics = StepSemantics.AT_LEAST_ONCE_PER_RETRY
    serdes: SerDes[Any] | None = None
    sub_type: str | None = field(default=None, kw_only=True)
    atomic: bool | str = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)
        _take_preset(self)
        if self.atomic not in (False, True, "default"):
            raise ValidationError(
                f"StepConfig.atomic works on the database 'default' only, because the checkpoint is there; got {self.atomic!r}"
            )


@dataclass(frozen=True)
class ChildConfig(Generic[T]):
    """`summary_generator(result) -> str` writes the payload of a result above 256 KiB. `is_virtual` groups operations
    without recording a CONTEXT."""

    serdes: SerDes[T] | None = None
    sub_type: str | None = None
    summary_generator: Callable[[T], str] | None = None
    is_virtual: bool = False

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)


@dataclass(frozen=True)
class CallbackConfig:
    """Time-outs in any spelling of a duration, at most 99,999,999 seconds; zero means none."""

    timeout: Duration = field(default_factory=Duration)
    heartbeat_timeout: Duration = field(default_factory=Duration)
    serdes: SerDes[Any] | None = None
    sub_type: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)
        bounded_seconds(self.timeout, "timeout", low=0, high=MAX_CALLBACK_SECONDS)
        bounded_seconds(self.heartbeat_timeout, "heartbeat_timeout", low=0, high=MAX_CALLBACK_SECONDS)

    @property
    def timeout_seconds(self) -> int:
        return bounded_seconds(self.timeout, "timeout", low=0, high=MAX_CALLBACK_SECONDS)

    @property
    def heartbeat_timeout_seconds(self) -> int:
        return bounded_seconds(self.heartbeat_timeout, "heartbeat_timeout", low=0, high=MAX_CALLBACK_SECONDS)


@dataclass(frozen=True)
class WaitForCallbackConfig(CallbackConfig):
    """`retry_strategy` is the submitter's."""

    retry_strategy: RetryStrategy | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _take_preset(self)


class NestingType(Enum):
    """NESTED records a CONTEXT per branch; FLAT records only the operations in it, about a third fewer rows."""

    NESTED = "NESTED"
    FLAT = "FLAT"


@dataclass(frozen=True)
class _BatchConfig:
    max_concurrency: int | None = None
    completion_config: CompletionConfig = field(default_factory=CompletionConfig)
    serdes: SerDes[Any] | None = None
    item_serdes: SerDes[Any] | None = None
    summary_generator: Callable[[Any], str] | None = None
    nesting_type: NestingType = NestingType.NESTED

    def __post_init__(self) -> None:
        if self.max_concurrency is not None and self.max_concurrency < 1:
            raise ValidationError(f"max_concurrency must be at least 1, got: {self.max_concurrency}")


@dataclass(frozen=True)
class MapConfig(_BatchConfig, Generic[T]):
    """At most `max_concurrency` branches are unfinished at a time, suspended ones included (None: no limit).

    `serdes` writes the `BatchResult` and, without `item_serdes`, each item's result too. `item_namer(item, index)` names the branches. By
    default the first failure ends the map; `CompletionConfig.all_completed()` runs every item.
    """

    item_namer: Callable[[T, int], str] | None = None


@dataclass(frozen=True)
class ParallelConfig(_BatchConfig):
    """As `MapConfig`; by default every branch has to succeed."""

    completion_config: CompletionConfig = field(default_factory=CompletionConfig.all_successful)


@dataclass(frozen=True)
class ParallelBranch(Generic[T]):
    """A branch of `parallel` with a name of its own."""

    func: Callable[..., T]
    name: str | None = None

    def __call__(self, *arguments: Any) -> T:
        return self.func(*arguments)


@dataclass(frozen=True)
class InvokeConfig(Generic[P, R]):
    """Payload and result are plain JSON unless a serdes is given."""

    serdes_payload: SerDes[P] | None = None
    serdes_result: SerDes[R] | None = None
    tenant_id: str | None = None


DEFAULT_STEP = StepConfig()
DEFAULT_CHILD: ChildConfig[Any] = ChildConfig()
